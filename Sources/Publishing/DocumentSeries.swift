import SignedDocuments

/// A document of the director's keys that takes the place of the one before, by its number under one
/// root.
protocol NumberedDocument {
  var rootVersion: Int64 { get set }
  var sequence: Int64 { get set }
  /// Seconds since 1970.
  var issued: Int64 { get set }
  /// Seconds since 1970.
  var expires: Int64 { get set }

  func signed(by keys: PublisherKeys) throws(PublishingError) -> [UInt8]
}

extension DirectorDocument: NumberedDocument {}
extension CommandDocument: NumberedDocument {}

/// The documents on one topic, one after another: the last one, and the next.
struct DocumentSeries<Document: NumberedDocument> {
  let keys: PublisherKeys
  let topic: Topic
  /// Where the last message is kept beside the keys; nil to keep none.
  ///
  /// A broker that lost its retained messages would otherwise let the numbers start again below
  /// what devices have seen, and they would refuse every new document.
  let recordPath: String?
  /// The document in a message, when the keys of a root signed it.
  let authenticate: (TrustedRoot, [UInt8]) -> Document?

  /// The document with the highest number that a broker retains or that was recorded; what another
  /// key signed is left out, as devices leave it.
  func latest(_ sessions: [BrokerSession]) throws(PublishingError) -> Document? {
    var messages = try sessions.retained(topic)
    if let recordPath, let recorded = try? readFile(recordPath) { messages.append(recorded) }
    return messages.compactMap { authenticate(keys.trustedRoot, $0) }
      .max { ($0.rootVersion, $0.sequence) < ($1.rootVersion, $1.sequence) }
  }

  /// Numbers `document`, which follows `former`, and signs it.
  ///
  /// - Parameter seconds: until it expires.
  /// - Returns: the document as it is to be published, and its message.
  func next(_ document: Document, after former: Document?, now: Int64, seconds: Int64)
    throws(PublishingError) -> (document: Document, publication: Publication)
  {
    let root = keys.trustedRoot
    do throws(DocumentError) { try root.checkExpiry(now: now) } catch { throw .document(error) }
    let last = former.map { $0.rootVersion == root.document.version ? $0.sequence : 0 } ?? 0
    guard last < Int64.max else { throw .sequenceExhausted }
    var document = document
    document.rootVersion = root.document.version
    document.sequence = last + 1
    document.issued = now
    document.expires = min(now + seconds, DocumentLimits.time.upperBound)
    let message = try document.signed(by: keys)
    // Recorded before it is sent: a number may be skipped, never used twice.
    if let recordPath { try replaceFile(recordPath, message) }
    return (document, Publication(topic, message))
  }
}

extension DocumentSeries<DirectorDocument> {
  /// The director's words for `model`.
  init(_ keys: PublisherKeys, model: String, recordDirectory: String?) {
    self.init(
      keys: keys, topic: .director(fleet: keys.trustedRoot.document.fleet, model: model),
      recordPath: recordDirectory.map { "\($0)/director-\(model).cose" }
    ) { root, message in try? root.authenticate(director: message, model: model) }
  }
}

extension DocumentSeries<CommandDocument> {
  /// The commands to `device`.
  init(_ keys: PublisherKeys, device: String, recordDirectory: String?) {
    self.init(
      keys: keys, topic: .command(fleet: keys.trustedRoot.document.fleet, device: device),
      recordPath: recordDirectory.map { "\($0)/command-\(device).cose" }
    ) { root, message in try? root.authenticate(command: message, device: device) }
  }
}
