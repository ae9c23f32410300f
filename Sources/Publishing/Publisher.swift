import Cryptography
import MQTT
package import ModelBundle
package import SignedDocuments

/// Publishes releases of one fleet to its brokers.
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
  private let brokers: FleetBrokers?
  /// Where the last director message of each model and its releases are kept; nil to keep none.
  private let recordDirectory: String?

  package init(keys: PublisherKeys, brokers: FleetBrokers?, recordDirectory: String?) {
    self.keys = keys
    self.brokers = brokers
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

  /// Signs and publishes `bundle`, and returns when each broker has acknowledged everything.
  ///
  /// - Precondition: the publisher has a broker.
  package func publish(
    _ bundle: Bundle, _ request: Request, progress: (PublishProgress) -> Void
  ) throws(PublishingError) -> PublishSummary {
    try check(request)
    guard let brokers else { preconditionFailure("there is a broker") }
    return try brokers.withSessions { (sessions) throws(PublishingError) in
      let work = try prepare(bundle, request, sessions)
      for session in sessions {
        try send(work.stages, session, progress)
        try readBack(work.stages, session, all: request.verifiesAll)
      }
      return work.summary(wireBytes: sessions.reduce(0) { $0 + $1.wireBytes })
    }
  }

  /// Signs `bundle` and writes what a broker would be given to a new file at `path`; the broker,
  /// when there is one, is only asked what was published before.
  package func write(_ bundle: Bundle, _ request: Request, to path: String)
    throws(PublishingError) -> PublishSummary
  {
    try check(request)
    guard !fileExists(path) else { throw .fileExists(path: path) }
    let work: Work
    if let brokers {
      work = try brokers.withSessions { (sessions) throws(PublishingError) in
        try prepare(bundle, request, sessions)
      }
    } else {
      work = try prepare(bundle, request, [])
    }
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

  /// Signs everything, and records what may not be signed a second time.
  private func prepare(_ bundle: Bundle, _ request: Request, _ sessions: [BrokerSession])
    throws(PublishingError) -> Work
  {
    let series = DocumentSeries<DirectorDocument>(
      keys, model: request.model, recordDirectory: recordDirectory)
    let releaseTopic = Topic.release(
      fleet: fleet, model: request.model, sequence: request.version)
    let previous = try series.latest(sessions)
    if let previous, request.version <= previous.target.sequence, !request.allowsDown {
      throw .versionNotAbove(published: previous.target.sequence, requested: request.version)
    }
    let releaseRecord = recordDirectory.map {
      ReleaseRecord(directory: $0, model: request.model, version: request.version)
    }
    let published = try sessions.retained(releaseTopic).first
    let release = try makeRelease(
      bundle, request, published: published ?? releaseRecord?.read())
    try releaseRecord?.write(release.message)
    var work = Work(release: release, stages: stages(release))
    if request.directs {
      let next = try series.next(
        director(release, previous, request), after: previous, now: request.now,
        seconds: request.directorSeconds)
      work.stages.append([next.publication])
      work.director = next.document
    }
    return work
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

  /// What everyone is to be told; its number is the series' matter.
  private func director(
    _ release: SignedRelease, _ previous: DirectorDocument?, _ request: Request
  ) -> DirectorDocument {
    let target = release.reference
    return DirectorDocument(
      fleet: fleet, model: request.model, rootVersion: 1, sequence: 1, issued: request.now,
      expires: request.now, target: target,
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
