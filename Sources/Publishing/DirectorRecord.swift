import SignedDocuments

/// A release message that this publisher signed, beside its keys.
///
/// The same bundle under the same version is the same release, on a broker and in a file, so that
/// a device that has one of them takes the other for what it is.
struct ReleaseRecord {
  private let path: String

  init(directory: String, model: String, version: Int64) {
    path = "\(directory)/release-\(model)-\(version).cose"
  }

  /// The recorded message; nil when there is none.
  func read() -> [UInt8]? { try? readFile(path) }

  /// Keeps `message`; durable when this returns.
  func write(_ message: [UInt8]) throws(PublishingError) {
    if read() != message { try replaceFile(path, message) }
  }
}

/// The last director message that this publisher sent for a model, beside its keys.
///
/// A broker that lost its retained messages would otherwise let the numbers start again below what
/// devices have seen, and they would refuse every new document.
struct DirectorRecord {
  private let path: String

  init(directory: String, model: String) {
    path = "\(directory)/director-\(model).cose"
  }

  /// The recorded document; nil when there is none that the director key signed.
  func read(_ root: TrustedRoot, model: String) -> DirectorDocument? {
    guard let message = try? readFile(path) else { return nil }
    return try? root.authenticate(director: message, model: model)
  }

  /// Replaces the record; durable when this returns.
  func write(_ message: [UInt8]) throws(PublishingError) {
    try replaceFile(path, message)
  }
}

/// The last command that this publisher sent to a device, for the same reason.
struct CommandRecord {
  private let path: String

  init(directory: String, device: String) {
    path = "\(directory)/command-\(device).cose"
  }

  func read() -> [UInt8]? { try? readFile(path) }

  /// Replaces the record; durable when this returns.
  func write(_ message: [UInt8]) throws(PublishingError) { try replaceFile(path, message) }
}
