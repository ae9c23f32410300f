import SignedDocuments

/// From the version in the store to the version in service.
extension ModelMachine {
  /// Takes in that the version lies in the store.
  mutating func assembled(_ context: DeliveryContext) -> [DeliveryEffect] {
    guard case .assembling(let offer) = phase else { return [] }
    return activate(offer, context)
  }

  /// Has the version proven and brought into service.
  mutating func activate(_ offer: Offer, _ context: DeliveryContext) -> [DeliveryEffect] {
    let attempts =
      record.candidate?.manifest == offer.manifest ? record.candidate?.attempts ?? 0 : 0
    guard attempts < DeliveryLimits.attempts else { return refuse(.attempts) + [collectGarbage] }
    record.candidate = DeliveryRecord.Candidate(manifest: offer.manifest, attempts: attempts + 1)
    phase = .activating(offer)
    former = nil
    // Counted before the risk is taken: a version that kills the agent runs out of attempts.
    return [persist] + (serving.map { [.observe(model: model, version: $0)] } ?? []) + [
      .activate(model: model, version: offer.version, proof: .init(offer.release.gate))
    ]
  }

  /// Takes in that a version serves, or why it does not.
  mutating func activated(
    version: Int64, failure: Cause?, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    switch phase {
    case .starting(let stored):
      guard let installed = stored.first, installed.version == version else { return [] }
      if let failure {
        cause = failure
        return startFailed(isDamaged: false, &context, now)
      }
      serving = version
      phase = .idle
      if record.current?.version == version { watchTrial(now) }
      scrub = now.milliseconds + DeliveryLimits.scrubMilliseconds
      return evaluate(&context, now)
    case .activating(let offer):
      guard offer.version == version else { return [] }
      let effects = failure.map { rejected(offer, $0, &context, now) } ?? begin(offer, now)
      guard wish?.target.manifestSHA256 != offer.manifest else { return effects }
      return effects + evaluate(&context, now)
    default: return []
    }
  }

  /// Takes in that an offered version serves.
  private mutating func begin(_ offer: Offer, _ now: DeliveryTime) -> [DeliveryEffect] {
    serving = offer.version
    cause = nil
    trouble.succeed()
    phase = .idle
    scrub = now.milliseconds + DeliveryLimits.scrubMilliseconds
    // What was kept before has shown what it is.
    let isKnown = record.previous?.manifest == offer.manifest
    let hasTrial = (offer.release.gate.trialMinutes ?? 0) > 0
    return hasTrial && !isKnown ? beginTrial(offer, now) : commit(offer)
  }

  /// Makes the version that serves the current one, for good.
  private mutating func commit(_ offer: Offer) -> [DeliveryEffect] {
    // A version whose trial was not waited for is none to go back to.
    if record.trial == nil, let current = record.current, current.version != offer.version {
      record.previous = current
    }
    record.current = installed(offer)
    if record.previous?.version == offer.version { record.previous = nil }
    record.candidate = nil
    // Raised after success only: a release that never ran must not lock out the one that does.
    record.releaseSequence = max(record.releaseSequence, offer.version)
    record.securityFloor = max(record.securityFloor, offer.release.securityFloor)
    endTrial()
    return [persist, collectGarbage]
  }

  private mutating func rejected(
    _ offer: Offer, _ failure: Cause, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    cause = failure
    if failure.isTransient {
      phase = .waiting
      wait(&trouble, &context, now)
      return []
    }
    if record.candidate?.manifest == offer.manifest { record.candidate?.cause = failure }
    phase = .refused
    return [persist, collectGarbage]
  }

  /// Goes on to the next stored version.
  mutating func startFailed(
    isDamaged: Bool, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard case .starting(let stored) = phase, let failed = stored.first else { return [] }
    var effects: [DeliveryEffect] = []
    if isDamaged {
      // Forgotten, so that it is fetched again when the director still wants it.
      cause = .blockHash
      if record.current == failed {
        record.current = record.previous
        record.previous = nil
        endTrial()
      } else {
        record.previous = nil
      }
      effects.append(persist)
    }
    let rest = Array(stored.dropFirst())
    guard let next = rest.first else {
      phase = .idle
      if record.current == nil
        || wish.map({ $0.target.manifestSHA256 != failed.manifest })
          ?? false
      {
        return effects + evaluate(&context, now)
      }
      phase = .waiting
      wait(&trouble, &context, now)
      return effects
    }
    phase = .starting(rest)
    return effects + [verify(next)]
  }
}
