import Cryptography
import ModelBundle
import SignedDocuments

/// The delivery protocol on a device: events in, effects out; it sees no socket, file or clock.
///
/// One machine per model, below one trusted root and one durable record. Effects are done in order,
/// and what they find comes back as events before the next event from outside.
package struct Delivery {
  var context: DeliveryContext
  private var machines: [String: ModelMachine]
  var record: DeliveryRecord

  /// - Parameter record: what the state file held; nil on a new device.
  package init(_ profile: DeviceProfile, record: DeliveryRecord?) {
    var record = record ?? DeliveryRecord()
    var root = profile.root
    if let kept = try? TrustedRoot(trusting: record.root),
      kept.document.fleet == root.document.fleet, kept.document.version > root.document.version
    {
      root = kept
    } else {
      record.root = []
    }
    context = DeliveryContext(
      profile: profile, root: root, hold: record.hold, vouchedTime: record.time,
      jitter: Jitter(seed: profile.seed))
    let decoder = BlockDecoder()
    machines = Dictionary(
      uniqueKeysWithValues: profile.models.map { name in
        (name, ModelMachine(name, record.models[name] ?? DeliveryRecord.Model(), decoder))
      })
    self.record = record
  }

  /// The version of the root that is trusted now.
  package var rootVersion: Int64 { context.root.document.version }
  /// The number of the last birth.
  package var births: Int64 { record.births }
  /// Until when the device installs nothing, in seconds since 1970, 0 until it is let go; nil when it
  /// may install.
  package func heldUntil(now: DeliveryTime) -> Int64? { context.holding(now) }
  /// The number of the last command that was taken up; 0 before the first.
  package var commandSequence: Int64 { record.command?.sequence ?? 0 }

  /// When the next `.tick` is due, in milliseconds of the monotonic clock.
  package var deadline: Int64 { machines.values.map(\.deadline).min() ?? .max }

  /// Counts a birth; the bytes are to be made durable before the connection that it belongs to.
  package mutating func nextBirth() -> (birth: Int64, record: [UInt8]) {
    record.births += 1
    return (record.births, encodedRecord())
  }

  package mutating func handle(_ event: DeliveryEvent, now: DeliveryTime) -> [DeliveryEffect] {
    complete(effects(event, now))
  }

  private mutating func effects(_ event: DeliveryEvent, _ now: DeliveryTime) -> [DeliveryEffect] {
    switch event {
    case .started: return all { machine, _ in machine.start() }
    case .connected, .disconnected, .attached, .detached: return sourceChanged(event, now)
    case .broker(let place):
      context.broker = place
      return []
    case .message(let topic, let payload): return message(topic, payload, now)
    case .tick: return all { $0.tick(&$1, now) }
    case .verified(let model, let version, let isWhole):
      return one(model) { $0.verified(version: version, isWhole: isWhole, &$1, now) }
    case .reserved(let model, let isResumed):
      return one(model) { $0.reserved(isResumed: isResumed, &$1, now) }
    case .hashed(let model, let blocks): return one(model) { $0.hashed(blocks, &$1, now) }
    case .baseRead(let model, let offset, let bytes):
      return one(model) { $0.baseRead(bytes, offset: offset, &$1, now) }
    case .assembled(let model): return one(model) { $0.assembled($1) }
    case .activated(let model, let version, let failure):
      return one(model) { $0.activated(version: version, failure: failure, &$1, now) }
    case .observed(let model, let version, let observation):
      return one(model) { $0.observed(version: version, observation, &$1, now) }
    case .releaseRead(let model, let message):
      return one(model) { $0.releaseRead(message, $1) }
    case .stopping: return all { machine, _ in machine.stopping(now) }
    case .failed(let model, let kind, let failure):
      return one(model) { $0.failed(kind, failure, &$1, now) }
    }
  }

  /// Takes in that the broker, or a file in its place, is there or has gone.
  private mutating func sourceChanged(_ event: DeliveryEvent, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    switch event {
    case .connected: context.isBrokerConnected = true
    case .disconnected: context.isBrokerConnected = false
    case .attached: context.isAttached = true
    default: context.isAttached = false
    }
    // What the broker was asked for while a file came or went is still on its way.
    if context.isBrokerConnected, event == .attached || event == .detached {
      return event == .attached ? [.unsubscribe(watchedTopics), .subscribe(watchedTopics)] : []
    }
    let forgotten = all { machine, _ in
      machine.disconnected()
      return []
    }
    guard context.isConnected else { return forgotten }
    return forgotten + [.subscribe(watchedTopics)] + all { $0.connected(&$1, now) }
  }

  /// The topics on which news comes.
  private var watchedTopics: [String] {
    context.profile.models.map { Topic.director(fleet: context.fleet, model: $0).name }
      + [
        Topic.command(fleet: context.fleet, device: context.profile.device).name, nextRootTopic,
      ]
  }

  private mutating func message(_ name: String, _ payload: [UInt8], _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    switch Topic(name) {
    case .command(context.fleet, context.profile.device): return commanded(payload, now)
    case .root(context.fleet, let version):
      return version == rootVersion &+ 1 ? newRoot(payload, now) : []
    case .director(context.fleet, let model):
      return one(model) { $0.directed(payload, &$1, now) }
    case .release(context.fleet, let model, let sequence):
      return one(model) { $0.released(payload, sequence: sequence, &$1, now) }
    case .index(context.fleet, let objectID):
      return all { $0.indexed(payload, objectID: objectID, &$1, now) }
    case .block(context.fleet, let objectID, let block):
      return all { $0.received(block: block, objectID: objectID, payload, &$1, now) }
    default: return []
    }
  }

  /// Takes one step along the chain of roots; the next step is asked for at once.
  private mutating func newRoot(_ message: [UInt8], _ now: DeliveryTime) -> [DeliveryEffect] {
    guard !message.isEmpty, let root = try? context.root.updated(by: message) else { return [] }
    let passed = nextRootTopic
    context.root = root
    record.root = message
    let effects: [DeliveryEffect] = [
      .persist(model: "", record: []), .unsubscribe([passed]), .subscribe([nextRootTopic]),
    ]
    return effects
      + all { machine, context in
        guard let message = machine.unverifiedDirector else { return [] }
        return machine.directed(message, &context, now)
      }
  }

  private var nextRootTopic: String {
    Topic.root(fleet: context.fleet, version: rootVersion &+ 1).name
  }

  private mutating func one(
    _ model: String, _ body: (inout ModelMachine, inout DeliveryContext) -> [DeliveryEffect]
  ) -> [DeliveryEffect] {
    guard var machine = machines.removeValue(forKey: model) else { return [] }
    defer { machines[model] = machine }
    return body(&machine, &context)
  }

  mutating func all(
    _ body: (inout ModelMachine, inout DeliveryContext) -> [DeliveryEffect]
  ) -> [DeliveryEffect] {
    context.profile.models.flatMap { one($0, body) }
  }

  /// Fills in what only the whole knows: the record, and what of the store is in use.
  private mutating func complete(_ effects: [DeliveryEffect]) -> [DeliveryEffect] {
    effects.map { effect in
      switch effect {
      case .persist(let model, _): .persist(model: model, record: encodedRecord())
      case .collectGarbage(let model, _): .collectGarbage(model: model, inUse)
      default: effect
      }
    }
  }

  private var inUse: DeliveryEffect.InUse {
    DeliveryEffect.InUse(
      versions: machines.mapValues(\.kept),
      staging: Set(machines.filter { $0.value.isStaging }.keys),
      // Before the director is heard, what is staged may be what it wants.
      untouched: Set(machines.filter { $0.value.director == nil }.keys))
  }

  private mutating func encodedRecord() -> [UInt8] {
    record.time = context.vouchedTime
    // Models that are no longer configured are forgotten; the slot has room for the others.
    record.models = machines.mapValues(\.record)
    return record.encode()
  }
}

extension Delivery {
  /// How one model's delivery stands.
  package struct Status: Sendable, Equatable {
    package var model: String
    package var state: State
    /// The version that serves; nil when none does.
    package var serving: Int64?
    package var previous: Int64?
    /// The version that the director names; nil until it was heard.
    package var target: Int64?
    /// Of the target's blocks.
    package var progressPercent: Int
    package var cause: Cause?
    /// Activations of the target begun.
    package var attempts: Int64
    package var directorSequence: Int64
    package var isStale: Bool
    /// It stays where a command put it.
    package var isPinned = false
  }

  /// Where a delivery stands, in the words of status documents.
  package enum State: String, Sendable, Equatable {
    case idle, starting, offered, planned, fetching, assembled, candidate, trial, committed, waiting
    case refused
    case rolledBack = "rolled-back"
  }

  /// One status a model, in the order of the configuration.
  package func statuses(now: DeliveryTime) -> [Status] {
    context.profile.models.compactMap { machines[$0]?.status(context, now) }
  }
}

extension ModelMachine {
  fileprivate func status(_ context: DeliveryContext, _ now: DeliveryTime) -> Delivery.Status {
    let isStale = isStale(context, now)
    let isCommitted = state == .committed || state == .trial
    return Delivery.Status(
      model: model, state: state, serving: serving, previous: record.previous?.version,
      target: wish?.target.sequence,
      progressPercent: fetch?.progressPercent ?? (isCommitted || isStored ? 100 : 0),
      cause: cause ?? (isStale ? .stale : remembered), attempts: record.candidate?.attempts ?? 0,
      directorSequence: record.director?.sequence ?? 0, isStale: isStale,
      isPinned: record.isPinned)
  }

  /// Why a version was taken back before the last start, as long as the director was not heard.
  private var remembered: Cause? {
    guard director == nil, let cause = record.candidate?.cause, cause.isOfTrial else { return nil }
    return cause
  }

  private var isStored: Bool {
    switch phase {
    case .assembling, .activating: true
    default: false
    }
  }

  private var state: Delivery.State {
    switch phase {
    case .starting: .starting
    case .idle:
      remembered != nil
        ? .rolledBack
        : record.current == nil || record.current?.manifest != wish?.target.manifestSHA256
        ? .idle : record.trial == nil ? .committed : .trial
    case .offered, .looking: .offered
    case .planned, .reserving: .planned
    case .fetching: .fetching
    case .assembling: .assembled
    case .activating: .candidate
    case .waiting: .waiting
    case .refused: record.candidate?.cause?.isOfTrial == true ? .rolledBack : .refused
    }
  }
}
