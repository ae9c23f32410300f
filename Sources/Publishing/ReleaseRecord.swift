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
