/// Looks for versions at a local path, in TensorFlow Serving's layout.
enum VersionScan {
  /// Every version at `path`, the highest first; empty when there is none, or the path cannot be
  /// read.
  ///
  /// A file is version 1. A directory holds `<version>/` directories with `model.tflite`, `bundle`,
  /// or one file that ends in `.tflite`.
  static func versions(at path: String) -> [VersionFile] {
    switch PathKind(path) {
    case .missing: return []
    case .file(let identity): return [VersionFile(version: 1, path: path, identity: identity)]
    case .directory: break
    }
    let names = DirectoryListing.names(path, maximum: AgentLimits.directoryEntriesMaximum) ?? []
    return names.compactMap { name in
      number(name).flatMap { version in file(version, in: path + "/" + name) }
    }
    .sorted { $0.version > $1.version }
  }

  /// The version that a directory's name means: a positive decimal number, zeros in front allowed.
  private static func number(_ name: String) -> Int64? {
    guard name.utf8.allSatisfy({ (48...57).contains($0) }), let version = Int64(name), version > 0
    else { return nil }
    return version
  }

  private static func file(_ version: Int64, in directory: String) -> VersionFile? {
    for name in ["model.tflite", "bundle"] {
      let path = directory + "/" + name
      if case .file(let identity) = PathKind(path) {
        return VersionFile(version: version, path: path, identity: identity)
      }
    }
    let candidates =
      (DirectoryListing.names(directory, maximum: AgentLimits.directoryEntriesMaximum) ?? [])
      .filter { $0.hasSuffix(".tflite") }
    guard candidates.count == 1 else { return nil }
    let path = directory + "/" + candidates[0]
    guard case .file(let identity) = PathKind(path) else { return nil }
    return VersionFile(version: version, path: path, identity: identity)
  }
}
