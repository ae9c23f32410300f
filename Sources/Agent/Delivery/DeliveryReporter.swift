import Cryptography
import MQTT
import ModelDelivery
import SignedDocuments

/// What a device tells its fleet and its own status document, and how often.
struct DeliveryReporter {
  private let setup: DeliveryDriver.Setup
  private let boot: [UInt8]
  private var birthNumber: Int64 = 0
  private var sequence: Int64 = 0
  private var startMilliseconds: Int64?
  private var logged: [Delivery.Status] = []
  private var published: [Delivery.Status] = []
  private var publishedCommand: Int64 = 0
  private var publishedHold: Int64?
  private var publishedAt: Int64 = 0

  init(_ setup: DeliveryDriver.Setup) {
    self.setup = setup
    boot = (try? randomBytes(8)) ?? []
  }

  /// The last will of the connection that `birth` counts.
  mutating func death(_ birth: Int64) -> MQTTMessage {
    birthNumber = birth
    return liveness(.death(birth, boot: boot))
  }

  /// The word that the device is there; a status follows.
  mutating func birth() -> MQTTMessage {
    published = []
    sequence = 0
    return liveness(.birth(birthNumber, boot: boot, agent: setup.profile.agent))
  }

  /// The word that the device goes in order.
  func goodbye() -> MQTTMessage { liveness(.death(birthNumber, boot: boot)) }

  /// The topic on which this device, and whoever uses its name, is told of.
  var livenessTopic: String {
    Topic.liveness(fleet: setup.fleet, device: setup.profile.device).name
  }

  /// Whether a message on that topic was left by another start of an agent.
  func isForeign(_ payload: [UInt8]) -> Bool {
    guard let word = try? BirthDocument.decode(payload), let other = word.boot else { return false }
    return other != boot
  }

  /// The models whose state or cause is new since the last call.
  mutating func changes(_ statuses: [Delivery.Status]) -> [Delivery.Status] {
    defer { logged = statuses }
    return statuses.enumerated().filter { i, status in
      i >= logged.count || !logged[i].isSame(as: status)
    }.map(\.element)
  }

  /// The status to publish now; nil while the last one tells enough.
  ///
  /// - Parameter observe: asked for the counters of each version that serves.
  mutating func status(
    _ statuses: [Delivery.Status], command: Int64, heldUntil: Int64?, _ now: DeliveryTime,
    _ observe: VersionObserver
  ) -> MQTTMessage? {
    let started = startMilliseconds ?? now.milliseconds
    startMilliseconds = started
    let isNews =
      published.count != statuses.count || publishedCommand != command
      || publishedHold != heldUntil
      || zip(published, statuses).contains { !$0.isSame(as: $1) || $0.isTenth(before: $1) }
    let age = now.milliseconds - publishedAt
    let isOnTrial = statuses.contains { $0.state == .trial }
    let refresh =
      isOnTrial
      ? AgentLimits.trialStatusRefreshMilliseconds : AgentLimits.statusRefreshMilliseconds
    guard isNews || age >= refresh else { return nil }
    published = statuses
    publishedCommand = command
    publishedHold = heldUntil
    publishedAt = now.milliseconds
    sequence += 1
    let document = StatusDocument(
      birth: birthNumber, sequence: sequence, agent: setup.profile.agent, kernels: setup.kernels,
      models: statuses.map { $0.document(observe) },
      residentBytes: Int64(ResidentMemory.ofThisProcess().bytes),
      diskFreeBytes: DiskSpace.freeBytes(setup.stateDirectory),
      uptimeSeconds: (now.milliseconds - started) / 1000,
      commandSequence: command == 0 ? nil : command,
      told: now.wallSeconds > 0 ? now.wallSeconds : nil, heldUntil: heldUntil)
    let topic = Topic.status(fleet: setup.fleet, device: setup.profile.device)
    return MQTTMessage(topic: topic.name, payload: document.encode(), retained: true)
  }

  /// The part of the local status document: the model that has most to tell.
  func snapshot(
    _ statuses: [Delivery.Status], broker: String, isConnected: Bool, connectionCause: Cause?,
    heldUntil: Int64?
  ) -> DeliveryStatus {
    let told = statuses.first { $0.cause != nil } ?? statuses.first { $0.state != .committed }
    let status = told ?? statuses.first
    let version = status?.target ?? status?.serving
    return DeliveryStatus(
      broker: broker, connected: isConnected,
      state: status?.state.rawValue ?? "idle",
      release: status.flatMap { status in version.map { "\(status.model)@\($0)" } } ?? "",
      progressPercent: status?.progressPercent ?? 0,
      cause: (connectionCause ?? status?.cause)?.rawValue,
      heldUntil: heldUntil)
  }

  private func liveness(_ document: BirthDocument) -> MQTTMessage {
    let topic = Topic.liveness(fleet: setup.fleet, device: setup.profile.device)
    return MQTTMessage(
      topic: topic.name, payload: document.encode(), quality: .atLeastOnce, retained: true)
  }
}

extension DeliveryDriver.Setup {
  var fleet: String { profile.root.document.fleet }
}

extension Delivery.Status {
  fileprivate func isSame(as other: Delivery.Status) -> Bool {
    var (left, right) = (self, other)
    left.progressPercent = 0
    right.progressPercent = 0
    return left == right
  }

  fileprivate func isTenth(before other: Delivery.Status) -> Bool {
    progressPercent / 10 != other.progressPercent / 10
  }

  fileprivate func document(_ observe: VersionObserver) -> StatusDocument.Model {
    let known = serving.flatMap { observe(model, $0) } ?? VersionObservation()
    return StatusDocument.Model(
      name: model, state: state.rawValue, current: serving, previous: previous, target: target,
      progressPercent: Int64(progressPercent), cause: cause?.rawValue, attempts: attempts,
      directorSequence: directorSequence, isStale: isStale, requests: known.requests,
      errors: known.errors, latencyP50: known.latencyP50, latencyP99: known.latencyP99,
      isPinned: isPinned)
  }
}
