/// A path below the state directory, of components that cannot leave it.
package struct StoragePath: Hashable, Sendable {
  /// From the top: directory names, then the file's or directory's own.
  package let components: [String]

  /// A path of the program's own names.
  init(_ components: [String]) {
    for component in components { precondition(Self.isComponent(component)) }
    self.components = components
  }

  /// A path one level deeper.
  func appending(_ component: String) -> StoragePath { StoragePath(components + [component]) }

  /// The directory that holds it.
  package var parent: StoragePath { StoragePath(Array(components.dropLast())) }
  /// The components joined by slashes, without a leading one.
  package var text: String { components.joined(separator: "/") }

  /// Whether `name` follows `[A-Za-z0-9_-]{1,64}`.
  package static func isName(_ name: String) -> Bool {
    (1...StorageLimits.nameBytesMaximum).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  /// Whether a directory entry found on disk can be named by a path: no slash, no dot first.
  static func isComponent(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: ".")
      && !text.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }
}

/// Where things lie below the state directory.
enum StoreLayout {
  static let state = StoragePath(["state"])
  static let stateFile = StoragePath(["state", "state"])
  static let store = StoragePath(["store"])
  static let staging = StoragePath(["staging"])
  static let bundle = "bundle"
  static let release = "release.cose"

  static func store(_ model: String) throws(StorageError) -> StoragePath {
    guard StoragePath.isName(model) else { throw .invalidName(model) }
    return store.appending(model)
  }

  static func store(_ model: String, _ version: Int64) throws(StorageError) -> StoragePath {
    guard version > 0 else { throw .invalidVersion(version) }
    return try store(model).appending(String(version))
  }

  static func staging(_ model: String) throws(StorageError) -> StoragePath {
    guard StoragePath.isName(model) else { throw .invalidName(model) }
    return staging.appending(model)
  }
}
