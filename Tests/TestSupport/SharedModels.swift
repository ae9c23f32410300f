import Glibc

/// Real models that lie beside the package, outside of it; tests that want them are skipped where
/// they are absent.
package enum SharedModels {
  /// The directory: `$EDGESERVE_SHARED/models`, or `../shared/models` beside the package; nil when
  /// absent.
  package static let directory: String? = {
    var candidates: [String] = []
    if let given = unsafe getenv("EDGESERVE_SHARED") {
      candidates.append(unsafe String(cString: given) + "/models")
    }
    // This file is <package>/Tests/TestSupport/SharedModels.swift.
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    for depth in 4...5 where parts.count > depth {
      candidates.append(parts.dropLast(depth).joined(separator: "/") + "/shared/models")
    }
    return candidates.first { unsafe access($0, R_OK) == 0 }
  }()

  /// The paths of all files under `folder` whose names end with `suffix`, sorted; says so when
  /// there is no such folder.
  package static func paths(under folder: String = "", suffix: String = ".tflite") -> [String] {
    guard let directory else {
      print("SKIPPED: no shared models; set EDGESERVE_SHARED to try them.")
      return []
    }
    let root = folder.isEmpty ? directory : directory + "/" + folder
    return files(under: root).filter { $0.hasSuffix(suffix) }.sorted()
  }

  /// The path of the shared model `name`, such as `mlperf_tiny/kws_int8.tflite`; nil when absent.
  package static func path(_ name: String) -> String? {
    guard let directory else {
      print("SKIPPED: no shared models; set EDGESERVE_SHARED to try them.")
      return nil
    }
    let path = directory + "/" + name
    return unsafe access(path, R_OK) == 0 ? path : nil
  }

  private static func files(under directory: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var found: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      let path = directory + "/" + name
      if unsafe entry.pointee.d_type == UInt8(DT_DIR) {
        found += files(under: path)
      } else {
        found.append(path)
      }
    }
    return found
  }
}
