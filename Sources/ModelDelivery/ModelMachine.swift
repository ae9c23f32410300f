import Cryptography
import ModelBundle
import SignedDocuments

/// The delivery of one model: which release it is at, and how far.
struct ModelMachine {
  /// Where the machine stands; what it waits for is in the case.
  enum Phase: Equatable {
    /// The first of the stored versions is checked or brought into service.
    case starting([DeliveryRecord.Installed])
    /// Nothing is to be done.
    case idle
    /// The release's message is asked for.
    case offered
    /// The store is asked whether it has the version already.
    case looking(Offer)
    /// The object's index is asked for.
    case planned(Offer)
    /// Space is being set aside, or what is there is hashed.
    case reserving(Offer, ObjectIndex)
    /// Blocks are asked for; see `fetch`.
    case fetching
    /// The whole is checked and moved into the store.
    case assembling(Offer)
    /// The version is being proven and brought into service.
    case activating(Offer)
    /// Nothing is done before `retry`, or before the director speaks.
    case waiting
    /// The release is not tried again before the director speaks.
    case refused
  }

  let model: String
  var record: DeliveryRecord.Model
  var phase = Phase.idle
  /// The director's word; nil until it was heard since the start.
  var director: DirectorDocument?
  /// The broker that the newest director's word came from; nil before it was heard since the start.
  var directorBroker: Int?
  /// What a command says of this model; nil when it was not heard since the start, or says nothing.
  var pin: CommandDocument.Pin?
  /// The last director message that could not be verified, for the next root.
  var unverifiedDirector: [UInt8]?
  var fetch: Fetch?
  /// Identifiers of deltas that were given up, until the director speaks.
  var givenUp: Set<String> = []
  /// For the one topic that is asked for, outside of `fetch`.
  var asking = Retry()
  /// For what failed on this device, or begins later.
  var trouble = Retry()
  /// Whether the record is ahead of the state file, and when it is saved again.
  var unsaved: Retry?
  var cause: Cause?
  /// The version that serves; nil when none does.
  var serving: Int64?
  /// When what is installed is checked next, in milliseconds of the monotonic clock.
  var scrub: Int64 = .max
  /// Looks at the version on trial while it serves.
  var watch: TrialWatch?
  /// What is kept of the release of the version on trial; nil when it cannot be read.
  var trialRelease: TrialRelease?
  /// How the version did that served when the last activation began.
  var former: VersionObservation?
  /// One for all models: decoding keeps nothing between calls.
  let decoder: BlockDecoder

  init(_ model: String, _ record: DeliveryRecord.Model, _ decoder: BlockDecoder) {
    self.model = model
    self.record = record
    self.decoder = decoder
  }

  /// When `tick` has something to do, in milliseconds of the monotonic clock.
  var deadline: Int64 {
    let others = min(
      asking.deadline, trouble.deadline, fetch?.retry.deadline ?? .max,
      min(fetch?.paceDeadline ?? .max, unsaved?.deadline ?? .max, scrub))
    switch phase {
    case .starting, .activating: return others
    default: return min(others, watch?.deadline ?? .max)
    }
  }

  /// Versions that must stay in the store.
  var kept: Set<Int64> {
    var versions = Set([record.current?.version, record.previous?.version].compactMap(\.self))
    switch phase {
    case .looking(let offer), .activating(let offer), .assembling(let offer):
      versions.insert(offer.version)
    case .waiting: if let wish { versions.insert(wish.target.sequence) }
    case .starting(let installed): versions.formUnion(installed.map(\.version))
    default: break
    }
    return versions
  }

  /// Whether the staging folder is in use, or may be used on.
  var isStaging: Bool { phase != .idle && phase != .refused }

  /// Brings the newest stored version into service.
  mutating func start() -> [DeliveryEffect] {
    let effects = countStart()
    let stored = [record.current, record.previous].compactMap(\.self)
    guard let first = stored.first else { return effects }
    phase = .starting(stored)
    return effects + [verify(first)]
  }

  /// What must be asked for again on a new connection, besides the director's word.
  mutating func connected(_ context: inout DeliveryContext, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    switch phase {
    case .offered, .planned: return ask(&context, now)
    case .fetching: return openWindow(&context, now)
    default: return []
    }
  }

  /// Forgets what was asked for.
  mutating func disconnected() {
    fetch?.closeWindow()
    fetch?.retry.stop()
    fetch?.endPace()
    switch phase {
    case .offered, .planned: asking.stop()
    default: break
    }
  }

  mutating func tick(_ context: inout DeliveryContext, _ now: DeliveryTime) -> [DeliveryEffect] {
    var effects: [DeliveryEffect] = []
    if let unsaved, unsaved.deadline <= now.milliseconds {
      self.unsaved?.stop()
      effects += [persist, collectGarbage]
    }
    if scrub <= now.milliseconds {
      scrub = now.milliseconds + DeliveryLimits.scrubMilliseconds
      if let current = record.current { effects.append(verify(current)) }
    }
    if let fetch, fetch.paceDeadline <= now.milliseconds { effects += judgePace(now) }
    if let fetch, fetch.retry.deadline <= now.milliseconds {
      effects += windowTimedOut(&context, now)
    }
    if asking.deadline <= now.milliseconds {
      effects += isDeltaSilent ? takeAnotherSource(&context, now) : ask(&context, now)
    }
    if isObservationDue(now), let current = record.current {
      watch?.look(now)
      effects.append(.observe(model: model, version: current.version))
    }
    if trouble.deadline <= now.milliseconds {
      trouble.stop()
      effects += evaluate(&context, now)
    }
    return effects
  }

  mutating func failed(
    _ kind: DeliveryEffect.Kind, _ failure: StorageFailure, _ context: inout DeliveryContext,
    _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    if kind == .persist {
      var retry = unsaved ?? Retry()
      wait(&retry, &context, now)
      unsaved = retry
    }
    if kind == .collectGarbage { return [] }
    // What is stored serves whether or not its start can be counted.
    if kind == .persist, case .starting = phase { return [] }
    // A base that cannot be read is no base.
    if kind == .readBase || kind == .copyBlocks, phaseOffer?.source.base != nil {
      return takeAnotherSource(&context, now)
    }
    cause = failure == .noSpace ? .noSpace : .storage
    guard phase != .idle && phase != .refused else { return [] }
    var effects = abandon(context)
    if kind == .assemble && failure == .digestMismatch {
      cause = .blockHash
      effects.append(.discardStaged(model: model))
      countAttempt()
      effects.append(persist)
    }
    phase = .waiting
    wait(&trouble, &context, now)
    return effects
  }

  /// Counts an attempt at the target, which came whole and was not what was signed.
  private mutating func countAttempt() {
    guard let manifest = wish?.target.manifestSHA256 else { return }
    let attempts = record.candidate?.manifest == manifest ? record.candidate?.attempts ?? 0 : 0
    record.candidate = DeliveryRecord.Candidate(manifest: manifest, attempts: attempts + 1)
  }

  /// Leaves off whatever is under way and not yet handed to the activation.
  mutating func abandon(_ context: DeliveryContext) -> [DeliveryEffect] {
    var topics: [String] = []
    switch phase {
    case .offered, .planned: topics = askedTopics(context)
    case .fetching: topics = windowTopics(context)
    default: break
    }
    fetch = nil
    asking.succeed()
    trouble.stop()
    phase = .idle
    return context.isConnected && !topics.isEmpty ? [.unsubscribe(topics)] : []
  }

  mutating func refuse(_ cause: Cause) -> [DeliveryEffect] {
    self.cause = cause
    phase = .refused
    return []
  }

  var persist: DeliveryEffect { .persist(model: model, record: []) }
  var collectGarbage: DeliveryEffect { .collectGarbage(model: model, .init()) }

  func verify(_ installed: DeliveryRecord.Installed) -> DeliveryEffect {
    .verify(
      model: model, version: installed.version, byteCount: installed.byteCount,
      bundle: installed.bundle)
  }

  func wait(_ retry: inout Retry, _ context: inout DeliveryContext, _ now: DeliveryTime) {
    let timing = context.profile.timing
    retry.wait(
      from: now, minimum: timing.retryMinimum, maximum: timing.maximum, &context.jitter)
  }
}
