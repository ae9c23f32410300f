import SignedDocuments

/// What the runtime tells of a version, counted since it was loaded.
package struct VersionObservation: Sendable, Equatable {
  /// Requests that ended, and those of them that failed.
  package var requests: Int64
  package var errors: Int64
  /// Microseconds from admission to reply.
  package var latencyP50: Int64
  package var latencyP95: Int64
  package var latencyP99: Int64
  /// Anonymous resident bytes of the whole agent.
  package var residentBytes: Int64

  package init(
    requests: Int64 = 0, errors: Int64 = 0, latencyP50: Int64 = 0, latencyP95: Int64 = 0,
    latencyP99: Int64 = 0, residentBytes: Int64 = 0
  ) {
    self.requests = requests
    self.errors = errors
    self.latencyP50 = latencyP50
    self.latencyP95 = latencyP95
    self.latencyP99 = latencyP99
    self.residentBytes = residentBytes
  }
}

/// The bounds of a trial.
package enum TrialLimits {
  /// Ends of the agent on one trial, other than in order, after which the version is given up.
  package static let crashes: Int64 = 3
  /// Milliseconds between two looks at a version on trial.
  package static let observationMilliseconds: Int64 = 250
  /// Milliseconds that two samples of the window are apart at least.
  static let sampleMilliseconds: Int64 = 1_000
  /// Samples of the window in which failures are counted.
  static let samples = 60
  /// Failures before which none are judged by their rate.
  static let failuresMinimum: Int64 = 5
  /// Answers before which the latency of a version is neither judged nor a measure.
  static let answersMinimum: Int64 = 100
  /// Requests of the former version before which its rate of failures is no measure.
  static let requestsMinimum: Int64 = 20
  /// The rate of failures that is allowed where the release names none, in millionths.
  static let errorRate: Int64 = 10_000
  /// How often a trial's time is waited for when too few requests came.
  static let extensions: Int64 = 10
  /// Minutes of the longest trial: thirty days.
  package static let minutesMaximum: Int64 = 43_200
  /// Milliseconds of a trial after which the time that it has lasted is made durable, at least, and
  /// the part of the trial that this is at least.
  static let savingMilliseconds: Int64 = 60_000
  static let savingPart: Int64 = 20
  /// The longest time on trial and the most requests that the record holds.
  static let secondsMaximum = minutesMaximum * 60 * extensions
  static let requestsMaximum = Int64(UInt32.max)
  /// The highest limits that the record holds.
  static let rateMaximum: Int64 = 1_000_000
  static let latencyMaximum = Int64(UInt32.max)
}

/// What a version on trial is held to; from its release, and from how the version before it did.
struct TrialRules: Sendable, Equatable {
  var milliseconds: Int64
  var requestsMinimum: Int64
  /// Bytes by which the agent may grow; nil for no bound.
  var growthMaximum: Int64?
  /// Failures in a million requests at most.
  var errorRate: Int64
  /// Microseconds of the 95th percentile at most; 0 for no bound.
  var latencyP95: Int64

  init(_ gate: ReleaseDocument.Gate?, errorRate: Int64, latencyP95: Int64) {
    let minutes = min(gate?.trialMinutes ?? Self.minutesDefault, TrialLimits.minutesMaximum)
    milliseconds = minutes * 60_000
    requestsMinimum = gate?.trialRequestsMinimum ?? 0
    growthMaximum = gate?.residentBytesMaximum
    self.errorRate = errorRate
    self.latencyP95 = latencyP95
  }

  /// Minutes of a trial whose release can no longer be read.
  private static let minutesDefault: Int64 = 10

  /// The rate of failures that is allowed after a version that did as `former`: what the release
  /// allows, or what the former version's rate may truly be when that is more.
  static func errorRate(_ gate: ReleaseDocument.Gate, after former: VersionObservation?) -> Int64 {
    let allowed = min(gate.errorRateMaximum ?? TrialLimits.errorRate, TrialLimits.rateMaximum)
    guard let former, former.requests >= TrialLimits.requestsMinimum else { return allowed }
    let interval = WilsonInterval(failures: Int(former.errors), of: Int(former.requests))
    return max(allowed, Int64(interval.upper * Double(TrialLimits.rateMaximum)))
  }

  /// The 95th percentile that is allowed after a version that did as `former`; 0 for no bound.
  static func latencyP95(_ gate: ReleaseDocument.Gate, after former: VersionObservation?) -> Int64 {
    guard let ratio = gate.latencyRatioMaximum, let former,
      former.requests - former.errors >= TrialLimits.answersMinimum
    else { return 0 }
    let (product, overflow) = former.latencyP95.multipliedReportingOverflow(by: ratio)
    return overflow ? 0 : min(max(1, product / 1000), TrialLimits.latencyMaximum)
  }
}

/// Watches a version that serves on trial, through what is observed of it.
struct TrialWatch: Sendable, Equatable {
  enum Verdict: Equatable {
    case wait, keep
    case rollBack(Cause)
  }

  private struct Sample: Equatable {
    var milliseconds: Int64
    var requests: Int64
    var errors: Int64
  }

  let rules: TrialRules
  /// When the next look is due, in milliseconds of the monotonic clock.
  private(set) var deadline: Int64
  /// When it would have begun, had it served on trial without a break.
  private let began: Int64
  /// Requests that ended before this start of the agent.
  private let formerRequests: Int64
  /// What of the trial is durable, in milliseconds.
  private var savedMilliseconds: Int64
  private var residentBytes: Int64?
  /// Requests that ended since this start of the agent.
  private var newestRequests: Int64 = 0
  /// The oldest first; the window is from it to now.
  private var samples: [Sample]

  /// - Parameters:
  ///   - servedSeconds: that the version served on trial before this start of the agent.
  ///   - requests: that ended in that time.
  init(
    _ rules: TrialRules, servedSeconds: Int64 = 0, requests: Int64 = 0, now: DeliveryTime
  ) {
    self.rules = rules
    savedMilliseconds = servedSeconds * 1000
    formerRequests = requests
    began = now.milliseconds - servedSeconds * 1000
    deadline = now.milliseconds + TrialLimits.observationMilliseconds
    samples = [Sample(milliseconds: now.milliseconds, requests: 0, errors: 0)]
  }

  /// What is to be made durable of the trial; nil while little is new.
  mutating func takeProgress(_ now: DeliveryTime) -> (servedSeconds: Int64, requests: Int64)? {
    let least = max(
      TrialLimits.savingMilliseconds, rules.milliseconds / TrialLimits.savingPart)
    guard now.milliseconds - began - savedMilliseconds >= least else { return nil }
    savedMilliseconds = now.milliseconds - began
    return progress(now)
  }

  /// How long the version has served on trial, and how many requests ended in that time.
  func progress(_ now: DeliveryTime) -> (servedSeconds: Int64, requests: Int64) {
    (
      min((now.milliseconds - began) / 1000, TrialLimits.secondsMaximum),
      min(requests, TrialLimits.requestsMaximum)
    )
  }

  private var requests: Int64 {
    formerRequests.addingReportingOverflow(newestRequests).partialValue
  }

  /// Sets the next look off by its interval.
  mutating func look(_ now: DeliveryTime) {
    deadline = now.milliseconds + TrialLimits.observationMilliseconds
  }

  /// Judges the version by the latest of what is known of it.
  mutating func take(_ observation: VersionObservation, _ now: DeliveryTime) -> Verdict {
    newestRequests = observation.requests
    let failure = failure(observation)
    let sinceLast = now.milliseconds - samples[samples.count - 1].milliseconds
    if sinceLast >= TrialLimits.sampleMilliseconds {
      samples.append(
        Sample(
          milliseconds: now.milliseconds, requests: observation.requests,
          errors: observation.errors))
      if samples.count > TrialLimits.samples { samples.removeFirst() }
    }
    if let failure { return .rollBack(failure) }
    let elapsed = now.milliseconds - began
    let isLongEnough =
      elapsed >= rules.milliseconds
      && (requests >= rules.requestsMinimum
        || elapsed >= rules.milliseconds * TrialLimits.extensions)
    return isLongEnough ? .keep : .wait
  }

  private mutating func failure(_ observation: VersionObservation) -> Cause? {
    let failures = observation.errors - samples[0].errors
    let requests = observation.requests - samples[0].requests
    if failures >= TrialLimits.failuresMinimum, requests >= failures {
      let interval = WilsonInterval(failures: Int(failures), of: Int(requests))
      let limit = Double(rules.errorRate) / Double(TrialLimits.rateMaximum)
      if interval.lower > limit { return .errorRate }
    }
    if rules.latencyP95 > 0, observation.latencyP95 > rules.latencyP95,
      observation.requests - observation.errors >= TrialLimits.answersMinimum
    {
      return .gateLatency
    }
    let first = residentBytes ?? observation.residentBytes
    residentBytes = first
    if let growthMaximum = rules.growthMaximum,
      observation.residentBytes - first > growthMaximum
    {
      return .gateMemory
    }
    return nil
  }
}
