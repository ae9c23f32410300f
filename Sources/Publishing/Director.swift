import MQTT
package import SignedDocuments

/// Speaks the director's word for one model: reads the last one and publishes the next.
package struct Director: Sendable {
  private let keys: PublisherKeys
  private let brokers: FleetBrokers
  private let recordDirectory: String?
  private let model: String

  package init(
    keys: PublisherKeys, brokers: FleetBrokers, recordDirectory: String?, model: String
  ) {
    self.keys = keys
    self.brokers = brokers
    self.recordDirectory = recordDirectory
    self.model = model
  }

  private var series: DocumentSeries<DirectorDocument> {
    DocumentSeries(keys, model: model, recordDirectory: recordDirectory)
  }

  /// The last word, from a broker or from this publisher's record, whichever is newest.
  package func latest() throws(PublishingError) -> DirectorDocument {
    try brokers.withSessions { (sessions) throws(PublishingError) in try latest(sessions) }
  }

  private func latest(_ sessions: [BrokerSession]) throws(PublishingError) -> DirectorDocument {
    guard let latest = try series.latest(sessions) else { throw .noDirector(model: model) }
    return latest
  }

  /// The release of a version that a broker retains, as a director may name it.
  package func reference(version: Int64, now: Int64) throws(PublishingError)
    -> DirectorDocument.Reference
  {
    let root = keys.trustedRoot
    let topic = Topic.release(fleet: root.document.fleet, model: model, sequence: version)
    let messages = try brokers.withSessions { (sessions) throws(PublishingError) in
      try sessions.retained(topic)
    }
    guard let message = messages.first else { throw .versionNotPublished(version: version) }
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

  /// Publishes the last word changed by `change`, with the next number and a new time, to every
  /// broker.
  ///
  /// - Parameters:
  ///   - seconds: until the new word expires.
  /// - Returns: the word as it was published.
  package func speak(
    now: Int64, seconds: Int64,
    _ change: (inout DirectorDocument) throws(PublishingError) -> Void
  ) throws(PublishingError) -> DirectorDocument {
    try brokers.withSessions { (sessions) throws(PublishingError) in
      let former = try latest(sessions)
      var document = former
      try change(&document)
      let next = try series.next(document, after: former, now: now, seconds: seconds)
      try sessions.publish([next.publication])
      return next.document
    }
  }
}
