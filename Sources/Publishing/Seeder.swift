import MQTT
package import SignedDocuments

/// Keeps on brokers what releases in files hold: a broker may lose what it acknowledged.
///
/// Needs no keys: everything in a file is signed already.
package struct Seeder: Sendable {
  /// What one look came to.
  package struct Summary: Sendable, Equatable {
    /// Messages that were looked at.
    package var checked: Int
    /// Messages that the broker did not have, or had otherwise, and that were published.
    package var published: Int
  }

  private let brokers: FleetBrokers

  package init(brokers: FleetBrokers) { self.brokers = brokers }

  /// Publishes to each broker what it lacks of `archive`.
  ///
  /// Documents, indexes and seals are read back each time; blocks when a seal is not there, when
  /// all are to be, or when a device asked for their object. The director's word is published only
  /// where there is none or an older one.
  package func seed(
    _ archive: ReleaseArchive, allBlocks: Bool = false, asked: Set<String> = []
  ) throws(PublishingError) -> Summary {
    try brokers.withSessions { (sessions) throws(PublishingError) in
      var summary = Summary(checked: 0, published: 0)
      for session in sessions {
        let one = try seed(archive, session, allBlocks: allBlocks, asked: asked)
        summary.checked += one.checked
        summary.published += one.published
      }
      return summary
    }
  }

  private func seed(
    _ archive: ReleaseArchive, _ session: BrokerSession, allBlocks: Bool, asked: Set<String>
  ) throws(PublishingError) -> Summary {
    let topics = archive.topics
    var documents: [Topic] = []
    var blocks: [Topic] = []
    for topic in topics {
      if case .block = topic { blocks.append(topic) } else { documents.append(topic) }
    }
    var missing = try lacking(documents, archive, session)
    var checked = documents.count
    let unsealed = Set(
      missing.compactMap { topic in
        if case .seal(_, let objectID) = topic { objectID } else { nil }
      })
    let suspects = blocks.filter { topic in
      guard case .block(_, let objectID, _) = topic else { return false }
      return allBlocks || unsealed.contains(objectID) || asked.contains(objectID)
    }
    missing += try lacking(suspects, archive, session)
    checked += suspects.count
    let wanted = Set(missing)
    var publications: [Publication] = []
    for topic in topics where wanted.contains(topic) {
      if let payload = try read(archive, topic) { publications.append(Publication(topic, payload)) }
    }
    try session.publish(publications) { _ in }
    return Summary(checked: checked, published: publications.count)
  }

  /// Waits so long for devices that miss something.
  ///
  /// - Returns: the identifiers of the objects that they asked for.
  package func listen(fleet: String, seconds: Int) throws(PublishingError) -> Set<String> {
    var asked: Set<String> = []
    try brokers.withSessions { (sessions) throws(PublishingError) in
      for session in sessions { try session.hear([Topic.requestFilter(fleet: fleet)]) }
      try sessions.listen(seconds: seconds) { topic, payload in
        guard case .request(fleet, _) = Topic(topic) else { return false }
        let objectID = String(decoding: payload.prefix(64), as: UTF8.self)
        guard Token.isObjectID(objectID) else { return false }
        asked.insert(objectID)
        return true
      }
    }
    return asked
  }

  /// The topics whose retained message is another than the file's, or not there.
  private func lacking(_ topics: [Topic], _ archive: ReleaseArchive, _ session: BrokerSession)
    throws(PublishingError) -> [Topic]
  {
    var lacking: [Topic] = []
    for start in stride(from: 0, to: topics.count, by: PublishingLimits.readWindow) {
      let window = Array(topics[start...].prefix(PublishingLimits.readWindow))
      let found = try session.retained(window)
      for topic in window {
        guard let payload = try read(archive, topic), found[topic] != payload else { continue }
        if case .director(_, let model) = topic,
          isNewer(found[topic], than: payload, model: model, archive)
        {
          continue
        }
        lacking.append(topic)
      }
    }
    return lacking
  }

  /// Whether the broker's director message is of the file's fleet and later than the file's own.
  private func isNewer(
    _ message: [UInt8]?, than payload: [UInt8], model: String, _ archive: ReleaseArchive
  ) -> Bool {
    let roots = archive.topics.compactMap { topic -> TrustedRoot? in
      guard case .root = topic, let message = try? archive.payload(topic) else { return nil }
      return try? TrustedRoot(trusting: message)
    }
    func order(_ message: [UInt8]) -> (Int64, Int64)? {
      for root in roots {
        if let document = try? root.authenticate(director: message, model: model) {
          return (document.rootVersion, document.sequence)
        }
      }
      return nil
    }
    guard let message, let there = order(message), let own = order(payload) else { return false }
    return there > own
  }

  private func read(_ archive: ReleaseArchive, _ topic: Topic) throws(PublishingError) -> [UInt8]? {
    do throws(ArchiveError) { return try archive.payload(topic) } catch { throw .archive(error) }
  }
}
