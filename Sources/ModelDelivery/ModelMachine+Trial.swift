import SignedDocuments

/// A version that serves on trial: kept, or taken back without asking anyone.
extension ModelMachine {
  /// Counts this start against a version on trial, before it is activated once more; gives it up
  /// when the agent has ended on it too often.
  mutating func countStart() -> [DeliveryEffect] {
    guard var trial = record.trial, let current = record.current else { return [] }
    if !trial.hasEndedInOrder { trial.crashes += 1 }
    trial.hasEndedInOrder = false
    record.trial = trial
    guard trial.crashes >= TrialLimits.crashes else {
      return [persist, .readRelease(model: model, version: current.version)]
    }
    giveUp(current, .crashLoop)
    return [persist]
  }

  /// Takes in the release of the version on trial, which says what it is held to.
  mutating func releaseRead(_ message: [UInt8], _ context: DeliveryContext) -> [DeliveryEffect] {
    // Verified before it was installed; the time may have passed and the root moved on since.
    guard let release = try? context.root.authenticate(release: message, model: model) else {
      return []
    }
    trialRelease = TrialRelease(gate: release.gate, securityFloor: release.securityFloor)
    return []
  }

  /// Notes that the agent ends as it should, and how long the trial has lasted.
  mutating func stopping(_ now: DeliveryTime) -> [DeliveryEffect] {
    guard record.trial != nil else { return [] }
    record.trial?.hasEndedInOrder = true
    if let watch { note(watch.progress(now)) }
    return [persist]
  }

  private mutating func note(_ progress: (servedSeconds: Int64, requests: Int64)) {
    record.trial?.servedSeconds = progress.servedSeconds
    record.trial?.requests = progress.requests
  }

  /// Makes the version that serves the current one, on trial; the last one that proved good stays
  /// at hand.
  mutating func beginTrial(_ offer: Offer, _ now: DeliveryTime) -> [DeliveryEffect] {
    if record.trial == nil, let current = record.current { record.previous = current }
    let gate = offer.release.gate
    record.current = installed(offer)
    record.candidate = nil
    let trial = DeliveryRecord.Trial(
      errorRate: TrialRules.errorRate(gate, after: former),
      latencyP95: TrialRules.latencyP95(gate, after: former))
    record.trial = trial
    trialRelease = TrialRelease(gate: gate, securityFloor: offer.release.securityFloor)
    watchTrial(now)
    return [persist, collectGarbage]
  }

  /// Begins to look at the version on trial, which serves from now on.
  mutating func watchTrial(_ now: DeliveryTime) {
    guard let trial = record.trial else { return }
    watch = TrialWatch(
      TrialRules(trialRelease?.gate, errorRate: trial.errorRate, latencyP95: trial.latencyP95),
      servedSeconds: trial.servedSeconds, requests: trial.requests, now: now)
  }

  /// Whether an observation of the version on trial is due, and can be acted on.
  func isObservationDue(_ now: DeliveryTime) -> Bool {
    switch phase {
    case .starting, .activating: false
    default: watch.map { $0.deadline <= now.milliseconds } ?? false
    }
  }

  /// Takes in what is known of a version that serves.
  mutating func observed(
    version: Int64, _ observation: VersionObservation, _ context: inout DeliveryContext,
    _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    if case .activating = phase {
      former = version == serving ? observation : nil
      return []
    }
    guard version == record.current?.version, version == serving, var watch else { return [] }
    let verdict = watch.take(observation, now)
    let progress = watch.takeProgress(now)
    self.watch = watch
    if let progress { note(progress) }
    let saved = progress == nil ? [] : [persist]
    switch verdict {
    case .wait:
      recover()
      return saved
    case .keep:
      recover()
      return keep(&context, now)
    case .rollBack(let cause): return rollBack(cause, saved, &context, now)
    }
  }

  /// Forgets what a first version was held to have failed by, once it no longer does.
  private mutating func recover() {
    guard phase == .idle, record.previous == nil else { return }
    switch cause {
    case .errorRate?, .gateLatency?, .gateMemory?: cause = nil
    default: break
    }
  }

  /// Ends the trial: the version is as good as any that ran.
  private mutating func keep(_ context: inout DeliveryContext, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    guard let current = record.current else { return [] }
    // Raised after success only: a release that did not last must not lock out the one that does.
    record.releaseSequence = max(record.releaseSequence, current.version)
    record.securityFloor = max(record.securityFloor, trialRelease?.securityFloor ?? 0)
    endTrial()
    return [persist, collectGarbage]
  }

  /// Brings the version before back into service, from this device's own store.
  ///
  /// A first version has none before it. It serves on, for something that serves badly beats nothing,
  /// and stays on trial with its cause until it no longer fails or another takes its place: it is
  /// never kept while it fails, raises nothing, and is none to go back to.
  private mutating func rollBack(
    _ cause: Cause, _ saved: [DeliveryEffect], _ context: inout DeliveryContext,
    _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard let failed = record.current, let previous = record.previous else {
      self.cause = cause
      return saved
    }
    let effects = abandon(context)
    giveUp(failed, cause)
    phase = .starting([previous])
    return effects + [persist, verify(previous)]
  }

  /// Refuses the version on trial until the director speaks, and names the one before current.
  private mutating func giveUp(_ failed: DeliveryRecord.Installed, _ cause: Cause) {
    record.candidate = DeliveryRecord.Candidate(
      manifest: failed.manifest, attempts: DeliveryLimits.attempts, cause: cause)
    record.current = record.previous
    record.previous = nil
    self.cause = cause
    endTrial()
  }

  mutating func endTrial() {
    record.trial = nil
    watch = nil
    trialRelease = nil
    former = nil
  }
}

/// What is kept of the release of a version on trial.
struct TrialRelease: Sendable, Equatable {
  var gate: ReleaseDocument.Gate
  var securityFloor: Int64
}
