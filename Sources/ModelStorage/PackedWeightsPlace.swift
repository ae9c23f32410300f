/// Where files of packed weights lie below the state directory: beside the bundle of a version in the
/// store, so that they go when it goes, and below `cache/<model>/<version>/` for models of the device.
package enum PackedWeightsPlace: Sendable, Equatable {
  case store(model: String, version: Int64)
  case cache(model: String, version: Int64)

  private static let name = "packed"
  /// What is kept for models of the device.
  package static let folder = StoragePath(["cache"])

  /// - Throws: `invalidName` or `invalidVersion`.
  package var path: StoragePath {
    get throws(StorageError) {
      switch self {
      case .store(let model, let version):
        return try StoreLayout.store(model, version).appending(Self.name)
      case .cache(let model, let version):
        guard model.utf8.count <= StorageLimits.nameBytesMaximum, StoragePath.isComponent(model)
        else { throw .invalidName(model) }
        guard version > 0 else { throw .invalidVersion(version) }
        return Self.folder.appending(model).appending(String(version)).appending(Self.name)
      }
    }
  }

  /// Removes what is kept for models of the device but for `kept`.
  package static func collectGarbage(
    keep kept: [String: Set<Int64>], _ files: any FileSystem
  ) throws(StorageError) {
    for model in try files.list(folder) {
      let parent = folder.appending(model)
      let versions = kept[model] ?? []
      for name in try files.list(parent) {
        if let number = Int64(name), versions.contains(number) { continue }
        try remove(parent.appending(name), files)
      }
      if versions.isEmpty { try files.remove(parent, directory: true) }
    }
  }

  /// Bytes of all files of packed weights but the one at `path`.
  package static func usedBytes(
    except path: StoragePath, _ files: any FileSystem
  ) throws(StorageError) -> Int {
    var bytes = 0
    for place in try all(files) where place != path {
      let file = try files.open(place, creating: false)
      defer { files.close(file) }
      bytes += try files.size(file)
    }
    return bytes
  }

  /// Removes every file of packed weights; those that are mapped live on until they no longer are.
  package static func removeAll(_ files: any FileSystem) throws(StorageError) {
    for path in try all(files) { try files.remove(path, directory: false) }
  }

  private static func all(_ files: any FileSystem) throws(StorageError) -> [StoragePath] {
    var paths: [StoragePath] = []
    for parent in [StoreLayout.store, folder] {
      for model in try files.list(parent) {
        for version in try files.list(parent.appending(model)) {
          let inside = parent.appending(model).appending(version)
          for entry in try files.list(inside) where entry == name || entry == name + ".new" {
            paths.append(inside.appending(entry))
          }
        }
      }
    }
    return paths
  }

  private static func remove(_ folder: StoragePath, _ files: any FileSystem) throws(StorageError) {
    for name in try files.list(folder) {
      try files.remove(folder.appending(name), directory: false)
    }
    try files.remove(folder, directory: true)
  }
}

extension ModelStore {
  /// Makes room by removing packed weights, which can be made again.
  package func removePackedWeights() throws(StorageError) {
    try PackedWeightsPlace.removeAll(files)
  }
}
