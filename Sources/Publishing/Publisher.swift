import Cryptography
package import MQTT
package import ModelBundle
package import SignedDocuments

/// Publishes releases of one fleet to one broker.
///
/// Everything is a retained message at QoS 1, in the order that a device may rely on: root, blocks,
/// index, seal, release, director. Publishing again replaces messages by equal ones, so a
/// publication that was cut short is simply repeated.
package struct Publisher: Sendable {
  /// What to publish, and as what.
  package struct Request: Sendable {
    /// The model's name in the fleet.
    package var model: String
    /// The version.
    package var version: Int64
    /// A version that is not above the published one is accepted.
    package var allowsDown: Bool
    /// Seconds since 1970.
    package var now: Int64
    /// Seconds until the director document expires.
    package var directorSeconds: Int64
    /// Seconds until the release expires.
    package var releaseSeconds: Int64
    /// The zstd level of the blocks.
    package var level: Int
    /// Earlier bundles that devices may have.
    package var bases: [Bundle]
    /// What devices hold the version to.
    package var gate: ReleaseDocument.Gate
    /// No release below this one may be installed once this one is kept.
    package var securityFloor: Int64
    /// Devices are told of the release; otherwise it only lies ready.
    package var directs: Bool
    /// Every block is read back, not only a sample.
    package var verifiesAll: Bool

    package init(
      model: String, version: Int64, allowsDown: Bool = false, now: Int64 = secondsSince1970(),
      directorSeconds: Int64 = 30 * 86_400, releaseSeconds: Int64 = 3650 * 86_400,
      level: Int = BlockCodec.defaultLevel, bases: [Bundle] = [],
      gate: ReleaseDocument.Gate = .init(), securityFloor: Int64 = 0, directs: Bool = true,
      verifiesAll: Bool = false
    ) {
      self.model = model
      self.version = version
      self.allowsDown = allowsDown
      self.now = now
      self.directorSeconds = directorSeconds
      self.releaseSeconds = releaseSeconds
      self.level = level
      self.bases = bases
      self.gate = gate
      self.securityFloor = securityFloor
      self.directs = directs
      self.verifiesAll = verifiesAll
    }
  }

  private let keys: PublisherKeys
  /// Nil for a publisher that writes files alone.
  private let broker: MQTTConfiguration?
  /// Where the last director message of each model and its releases are kept; nil to keep none.
  private let recordDirectory: String?

  package init(keys: PublisherKeys, broker: MQTTConfiguration?, recordDirectory: String?) {
    self.keys = keys
    self.broker = broker
    self.recordDirectory = recordDirectory
  }

  private var fleet: String { keys.trustedRoot.document.fleet }

  /// What is to be published, in stages: each begins when the one before it is acknowledged.
  private struct Work {
    var release: SignedRelease
    var director: DirectorDocument?
    var stages: [[Publication]]

    func summary(wireBytes: Int64) -> PublishSummary {
      PublishSummary(
        directorSequence: director?.sequence, wireBytes: wireBytes,
        blocks: release.object.blocks.count, rawBytes: release.document.rawSize,
        encodedBytes: release.object.encodedBytes, deltaBytes: release.deltas.map(\.encodedBytes))
    }
  }

  /// Signs and publishes `bundle`, and returns when the broker has acknowledged everything.
  ///
  /// - Precondition: the publisher has a broker.
  package func publish(
    _ bundle: Bundle, _ request: Request, progress: (PublishProgress) -> Void
  ) throws(PublishingError) -> PublishSummary {
    try check(request)
    guard let session = try openSession() else { preconditionFailure("there is a broker") }
    defer { session.disconnect() }
    let work = try prepare(bundle, request, session)
    try send(work.stages, session, progress)
    try readBack(work.stages, session, all: request.verifiesAll)
    return work.summary(wireBytes: session.wireBytes)
  }

  /// Signs `bundle` and writes what a broker would be given to a new file at `path`; the broker,
  /// when there is one, is only asked what was published before.
  package func write(_ bundle: Bundle, _ request: Request, to path: String)
    throws(PublishingError) -> PublishSummary
  {
    try check(request)
    guard !fileExists(path) else { throw .fileExists(path: path) }
    let session = try openSession()
    defer { session?.disconnect() }
    let work = try prepare(bundle, request, session)
    let bytes = try writeArchive(work.stages.flatMap { $0 }, to: path)
    return work.summary(wireBytes: bytes)
  }

  private func check(_ request: Request) throws(PublishingError) {
    guard Token.isValid(request.model) else { throw .invalidName(request.model) }
    do throws(DocumentError) {
      try keys.trustedRoot.checkExpiry(now: request.now)
    } catch {
      throw .document(error)
    }
  }

  private func openSession() throws(PublishingError) -> BrokerSession? {
    guard let broker else { return nil }
    let session = try BrokerSession(broker)
    try session.connect()
    return session
  }

  /// Signs everything, and records what may not be signed a second time.
  private func prepare(_ bundle: Bundle, _ request: Request, _ session: BrokerSession?)
    throws(PublishingError) -> Work
  {
    let record = recordDirectory.map { DirectorRecord(directory: $0, model: request.model) }
    let directorTopic = Topic.director(fleet: fleet, model: request.model)
    let releaseTopic = Topic.release(
      fleet: fleet, model: request.model, sequence: request.version)
    let retained = try session?.retained([directorTopic, releaseTopic]) ?? [:]
    let previous = latestDirector(retained[directorTopic], record, request)
    if let previous, request.version <= previous.target.sequence, !request.allowsDown {
      throw .versionNotAbove(published: previous.target.sequence, requested: request.version)
    }
    let releaseRecord = recordDirectory.map {
      ReleaseRecord(directory: $0, model: request.model, version: request.version)
    }
    let release = try makeRelease(
      bundle, request, published: retained[releaseTopic] ?? releaseRecord?.read())
    try releaseRecord?.write(release.message)
    var work = Work(release: release, stages: stages(release))
    if request.directs {
      let document = try makeDirector(release, previous, request)
      let message = try document.signed(by: keys)
      // Recorded before it is sent: a number may be skipped, never used twice.
      try record?.write(message)
      work.stages.append([Publication(directorTopic, message)])
      work.director = document
    }
    return work
  }

  /// The director document with the highest number that the broker retains or this publisher
  /// recorded.
  private func latestDirector(
    _ message: [UInt8]?, _ record: DirectorRecord?, _ request: Request
  ) -> DirectorDocument? {
    let root = keys.trustedRoot
    // What another key signed, or nobody, is replaced: devices do not believe it either.
    let retained = message.flatMap { try? root.authenticate(director: $0, model: request.model) }
    return [retained, record?.read(root, model: request.model)].compactMap { $0 }
      .max { ($0.rootVersion, $0.sequence) < ($1.rootVersion, $1.sequence) }
  }

  /// A new release, or the published one when it is of the same bundle: releases are never changed.
  private func makeRelease(
    _ bundle: Bundle, _ request: Request, published message: [UInt8]?
  ) throws(PublishingError) -> SignedRelease {
    let expires = min(request.now + request.releaseSeconds, DocumentLimits.time.upperBound)
    let release = try SignedRelease(
      bundle, model: request.model,
      options: .init(
        version: request.version, created: request.now, expires: expires,
        securityFloor: request.securityFloor, level: request.level, gate: request.gate,
        bases: request.bases),
      keys: keys)
    guard let message, let published = try? keys.trustedRoot.verify(
        release: message, model: request.model, now: request.now),
      published.sequence == request.version
    else { return release }
    guard published.bundleSHA256 == release.document.bundleSHA256,
      published.full == release.document.full
    else { throw .versionTaken(version: request.version) }
    let named = published.deltas.map(\.object.objectID)
    return SignedRelease(
      document: published, message: message, object: release.object,
      deltas: release.deltas.filter { named.contains($0.index.objectID) })
  }

  private func makeDirector(
    _ release: SignedRelease, _ previous: DirectorDocument?, _ request: Request
  ) throws(PublishingError) -> DirectorDocument {
    let rootVersion = keys.trustedRoot.document.version
    let last = previous.map { $0.rootVersion == rootVersion ? $0.sequence : 0 } ?? 0
    guard last < Int64.max else { throw .sequenceExhausted }
    let target = release.reference
    return DirectorDocument(
      fleet: fleet, model: request.model, rootVersion: rootVersion, sequence: last + 1,
      issued: request.now,
      expires: min(request.now + request.directorSeconds, DocumentLimits.time.upperBound),
      target: target,
      fallback: previous.flatMap { $0.target == target ? $0.fallback : $0.target },
      floor: previous?.floor ?? 0, allowsDown: request.allowsDown)
  }

  /// Sends everything; from the start again when the connection is lost, because the broker may
  /// have lost what it had acknowledged.
  private func send(
    _ stages: [[Publication]], _ session: BrokerSession, _ progress: (PublishProgress) -> Void
  ) throws(PublishingError) {
    while true {
      var state = PublishProgress(
        messages: 0, messagesTotal: stages.joined().count, bytes: 0,
        bytesTotal: stages.joined().reduce(0) { $0 + Int64($1.payload.count) })
      do throws(PublishingError) {
        for stage in stages {
          try session.publish(stage) { publication in
            state.messages += 1
            state.bytes += Int64(publication.payload.count)
            progress(state)
          }
        }
        return
      } catch {
        guard case .disconnected(let reason) = error else { throw error }
        try session.reconnect(after: reason)
      }
    }
  }

  /// The messages in stages: each begins when the one before it is acknowledged.
  private func stages(_ release: SignedRelease) -> [[Publication]] {
    let root = keys.trustedRoot
    let model = release.document.model
    let objects = [release.object] + release.deltas
    return [
      (keys.formerRoots + [root]).map {
        Publication(.root(fleet: fleet, version: $0.document.version), $0.message)
      } + objects.flatMap(blocks),
      objects.map { Publication(.index(fleet: fleet, objectID: $0.index.objectID), $0.index.bytes) },
      objects.map { Publication(.seal(fleet: fleet, objectID: $0.index.objectID), $0.index.seal) },
      [
        Publication(
          .release(fleet: fleet, model: model, sequence: release.document.sequence),
          release.message)
      ],
    ]
  }

  /// The messages of an object's blocks, but for those that devices copy from their base.
  private func blocks(_ object: EncodedObject) -> [Publication] {
    object.blocks.enumerated().compactMap { block, bytes in
      guard !ObjectIndex.isCopy(bytes) else { return nil }
      return Publication(
        .block(fleet: fleet, objectID: object.index.objectID, block: block), bytes)
    }
  }

  /// Throws unless the broker hands out what was published: every document, index and seal, and of
  /// the blocks a sample or all. A broker acknowledges also what it then discards.
  private func readBack(_ stages: [[Publication]], _ session: BrokerSession, all: Bool)
    throws(PublishingError)
  {
    let published = stages.flatMap { $0 }
    let blocks = published.indices.filter {
      if case .block = Topic(published[$0].topic) { true } else { false }
    }
    let step = all ? 1 : max(1, blocks.count / PublishingLimits.sampledBlocks)
    let skipped = Set(blocks.indices.filter { $0 % step != 0 }.map { blocks[$0] })
    let checked = published.indices.filter { !skipped.contains($0) }.map { published[$0] }
    var missing = 0
    for start in stride(from: 0, to: checked.count, by: PublishingLimits.readWindow) {
      let window = checked[start...].prefix(PublishingLimits.readWindow)
      let topics = window.compactMap { Topic($0.topic) }
      let found = try session.retained(topics)
      missing += zip(topics, window).count { topic, message in found[topic] != message.payload }
    }
    guard missing == 0 else {
      throw .notRetained(missing: missing, checked: checked.count)
    }
  }
}
