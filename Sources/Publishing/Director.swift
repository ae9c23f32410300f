package import MQTT
package import SignedDocuments

/// Speaks the director's word for one model: reads the last one and publishes the next.
package struct Director: Sendable {
  private let keys: PublisherKeys
  private let broker: MQTTConfiguration
  private let recordDirectory: String?
  private let model: String

  package init(
    keys: PublisherKeys, broker: MQTTConfiguration, recordDirectory: String?, model: String
  ) {
    self.keys = keys
    self.broker = broker
    self.recordDirectory = recordDirectory
    self.model = model
  }

  private var root: TrustedRoot { keys.trustedRoot }
  private var fleet: String { root.document.fleet }

  /// The last word, from the broker or from this publisher's record, whichever is newer.
  package func latest() throws(PublishingError) -> DirectorDocument {
    let session = try BrokerSession(broker)
    try session.connect()
    defer { session.disconnect() }
    return try latest(session)
  }

  /// The release of a version that the broker retains, as a director may name it.
  package func reference(version: Int64, now: Int64) throws(PublishingError)
    -> DirectorDocument.Reference
  {
    let session = try BrokerSession(broker)
    try session.connect()
    defer { session.disconnect() }
    let topic = Topic.release(fleet: fleet, model: model, sequence: version)
    guard let message = try session.retained([topic])[topic] else {
      throw .versionNotPublished(version: version)
    }
    do throws(DocumentError) {
      let release = try root.verify(release: message, model: model, now: now)
      guard release.sequence == version else {
        throw DocumentError.wrongRelease(expected: version, actual: release.sequence)
      }
    } catch {
      throw .document(error)
    }
    return DirectorDocument.Reference(sequence: version, manifestSHA256: digest(message))
  }

  /// Publishes the last word changed by `change`, with the next number and a new time.
  ///
  /// - Parameters:
  ///   - seconds: until the new word expires.
  /// - Returns: the word as it was published.
  package func speak(
    now: Int64, seconds: Int64,
    _ change: (inout DirectorDocument) throws(PublishingError) -> Void
  ) throws(PublishingError) -> DirectorDocument {
    do throws(DocumentError) { try root.checkExpiry(now: now) } catch { throw .document(error) }
    let session = try BrokerSession(broker)
    try session.connect()
    defer { session.disconnect() }
    var document = try latest(session)
    let isSameRoot = document.rootVersion == root.document.version
    guard !isSameRoot || document.sequence < Int64.max else { throw .sequenceExhausted }
    document.sequence = isSameRoot ? document.sequence + 1 : 1
    document.rootVersion = root.document.version
    document.issued = now
    document.expires = min(now + seconds, DocumentLimits.time.upperBound)
    try change(&document)
    let message = try document.signed(by: keys)
    // Recorded before it is sent: a number may be skipped, never used twice.
    if let recordDirectory {
      try DirectorRecord(directory: recordDirectory, model: model).write(message)
    }
    try session.publish(
      [Publication(.director(fleet: fleet, model: model), message)]) { _ in }
    return document
  }

  private func latest(_ session: BrokerSession) throws(PublishingError) -> DirectorDocument {
    let topic = Topic.director(fleet: fleet, model: model)
    let message = try session.retained([topic])[topic]
    let retained = message.flatMap { try? root.authenticate(director: $0, model: model) }
    let recorded = recordDirectory.flatMap {
      DirectorRecord(directory: $0, model: model).read(root, model: model)
    }
    guard
      let latest = [retained, recorded].compactMap({ $0 })
        .max(by: { ($0.rootVersion, $0.sequence) < ($1.rootVersion, $1.sequence) })
    else { throw .noDirector(model: model) }
    return latest
  }
}
