import Cryptography
import ModelBundle
import SignedDocuments

/// From the director's word to the decision to fetch.
extension ModelMachine {
  /// Takes in a director document.
  mutating func directed(
    _ message: [UInt8], _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard !message.isEmpty, message.count <= DeliveryLimits.messageBytes else { return [] }
    let document: DirectorDocument
    do { document = try context.root.authenticate(director: message, model: model) } catch {
      cause = Cause(error)
      unverifiedDirector = message
      return []
    }
    guard document.rootVersion <= context.root.document.version else {
      unverifiedDirector = message
      return []
    }
    unverifiedDirector = nil
    let heard = DeliveryRecord.Director(
      rootVersion: document.rootVersion, sequence: document.sequence,
      digest: SHA256.hash(message))
    if let last = record.director, last != heard, !last.precedes(heard) {
      // What a broker gave before and no longer gives was taken back; what it never gave, it may
      // have missed. Neither is believed.
      let isBehind =
        heard.precedes(last) && !context.isAttached && context.broker != nil
        && context.broker != directorBroker
      cause = isBehind ? .sourceBehind : .rollback
      return []
    }
    directorBroker = context.broker
    guard record.director != heard || director == nil else {
      if cause == .rollback || cause == .sourceBehind, phase == .idle { cause = nil }
      return []
    }
    let isNew = record.director != heard
    director = document
    context.vouchedTime = max(context.vouchedTime, document.issued)
    guard isNew else { return evaluate(&context, now) }
    // A new word is a new chance: attempts and refusals count within one.
    record.director = heard
    record.candidate = nil
    givenUp = []
    trouble.succeed()
    // Durable before acted on: an older word can never be taken for news after a power cut.
    return [persist] + evaluate(&context, now)
  }

  /// Decides what the director's word asks for now, and begins it.
  mutating func evaluate(_ context: inout DeliveryContext, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    switch phase {
    // What is being brought into service ends first; it is a verified version either way.
    case .starting, .activating: return []
    default: break
    }
    let effects = abandon(context)
    if let current = record.current, serving != current.version,
      wish.map({ $0.target.manifestSHA256 == current.manifest }) ?? (serving == nil)
    {
      phase = .starting([current, serving == nil ? record.previous : nil].compactMap(\.self))
      return effects + [verify(current)]
    }
    guard let director = wish else { return effects }
    let target = director.target
    if record.current?.manifest == target.manifestSHA256 {
      cause = nil
      return effects + [collectGarbage]
    }
    if let hold = context.holding(now) {
      cause = .held
      phase = .waiting
      let left = min(hold - context.seconds(now), DeliveryLimits.holdLookSeconds)
      if hold > 0 { trouble.begin(at: now.milliseconds + left * 1000) }
      return effects
    }
    if cause == .held { cause = nil }
    if isStale(context, now) {
      cause = .stale
      return effects
    }
    guard !director.isPaused,
      director.includes(
        device: context.profile.device, labels: context.profile.labels)
    else { return effects }
    if let objection = objection(to: director) {
      return effects + refuse(objection) + [collectGarbage]
    }
    let delay =
      director.issued + director.startDelaySeconds(device: context.profile.device)
      - context.seconds(now)
    if director.spreadSeconds > 0 && delay > 0 {
      phase = .waiting
      trouble.begin(at: now.milliseconds + min(delay, director.spreadSeconds) * 1000)
      return effects
    }
    phase = .offered
    return effects + ask(&context, now)
  }

  /// Whether the director's word, or the root's, has run out.
  func isStale(_ context: DeliveryContext, _ now: DeliveryTime) -> Bool {
    guard let director else { return false }
    let seconds = context.seconds(now)
    return seconds >= director.expires || seconds >= context.root.document.expires
  }

  /// Why the target is not to be tried; nil when it is.
  private func objection(to director: DirectorDocument) -> Cause? {
    let target = director.target
    if let candidate = record.candidate, candidate.manifest == target.manifestSHA256 {
      if let cause = candidate.cause { return cause }
      if candidate.attempts >= DeliveryLimits.attempts { return .attempts }
    }
    let isBelowFloor = target.sequence < max(record.securityFloor, director.floor)
    let isDown = target.sequence < record.releaseSequence && !director.allowsDown
    // One number never names two releases; staging the second would overwrite the first.
    let isSecond = target.sequence == record.current?.version
    return isBelowFloor || isDown || isSecond ? .rollback : nil
  }

  /// Takes in the message on the topic of the target's release.
  mutating func released(
    _ message: [UInt8], sequence: Int64, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard phase == .offered, let director = wish, sequence == director.target.sequence,
      !message.isEmpty, message.count <= DeliveryLimits.messageBytes
    else { return [] }
    let seconds = context.seconds(now)
    let manifest = SHA256.hash(message)
    let release: ReleaseDocument
    do {
      release = try context.root.verify(
        release: message, named: director.target, model: model, now: seconds)
    } catch {
      // Something else lies on the topic: the right message may still come, and is asked for again.
      guard manifest == director.target.manifestSHA256 else {
        cause = Cause(error)
        return []
      }
      return abandon(context) + refuse(Cause(error)) + [collectGarbage]
    }
    var effects = abandon(context)
    if let objection = context.profile.objection(to: release) {
      return effects + refuse(objection) + [collectGarbage]
    }
    cause = nil
    let offer = Offer(
      release: release, message: message, manifest: manifest, source: source(for: release))
    phase = .looking(offer)
    effects.append(verify(installed(offer)))
    return effects
  }

  /// The record of an offered version once it is in the store.
  func installed(_ offer: Offer) -> DeliveryRecord.Installed {
    DeliveryRecord.Installed(
      version: offer.version, manifest: offer.manifest, byteCount: offer.release.rawSize,
      bundle: offer.release.bundleSHA256)
  }

  /// Subscribes to the one topic that the phase waits for, again if it was before.
  mutating func ask(_ context: inout DeliveryContext, _ now: DeliveryTime) -> [DeliveryEffect] {
    let isRepeated = asking.deadline != .max
    guard context.isConnected else {
      asking.stop()
      return []
    }
    let topics = askedTopics(context)
    let timing = context.profile.timing
    asking.wait(
      from: now, minimum: timing.askMinimum, maximum: timing.maximum, &context.jitter)
    if isRepeated, asking.count > 1, cause == nil { cause = .truncated }
    var effects: [DeliveryEffect] = isRepeated ? [.unsubscribe(topics)] : []
    if case .planned(let offer) = phase, asking.count > DeliveryLimits.seedWaits,
      context.isBrokerConnected
    {
      effects.append(.requestSeed(objectID: offer.source.object.objectID))
    }
    effects.append(.subscribe(topics))
    if asking.count > DeliveryLimits.brokerWaits, context.isBrokerConnected {
      effects.append(.changeBroker)
    }
    return effects
  }

  /// The topic of the release or of the index, whichever the phase waits for.
  func askedTopics(_ context: DeliveryContext) -> [String] {
    switch phase {
    case .offered:
      guard let director = wish else { return [] }
      let topic = Topic.release(
        fleet: context.fleet, model: model, sequence: director.target.sequence)
      return [topic.name]
    case .planned(let offer):
      let topic = Topic.index(fleet: context.fleet, objectID: offer.source.object.objectID)
      return [topic.name]
    default: return []
    }
  }
}
