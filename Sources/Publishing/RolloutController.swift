package import ModelDelivery

/// What a rollout should do next, judged from what devices tell and nothing else.
package struct RolloutController: Sendable, Equatable {
  /// When a stage is done, and when a rollout has gone wrong.
  package struct Policy: Sendable, Equatable {
    /// The rate of failures that is too high.
    package var failureRate = 0.05
    /// Devices that must have come to an end of the stage, at least.
    package var reachedMinimum = 20
    /// Of the devices of the stage that are there, the part that must have come to an end.
    package var reachedPart = 0.8
    /// Seconds that a stage lasts at least.
    package var soakSeconds: Int64 = 600
    /// Failures before which nothing is aborted by their rate.
    package var failuresMinimum = 5
    /// Devices on which the outputs differ that end a rollout whatever the rate.
    package var mismatches = 3

    package init() {}
  }

  /// One device as far as a rollout is concerned.
  package struct Device: Sendable, Equatable {
    /// Whether the stage means it.
    package var isMeant: Bool
    package var isOnline: Bool
    /// Whether the target serves on it.
    package var serves: Bool
    /// Why the target was refused or rolled back; nil when it was not.
    package var failure: String?

    package init(isMeant: Bool, isOnline: Bool, serves: Bool, failure: String? = nil) {
      self.isMeant = isMeant
      self.isOnline = isOnline
      self.serves = serves
      self.failure = failure
    }
  }

  package enum Verdict: String, Sendable, Equatable {
    /// Too little is known yet.
    case wait
    /// The next stage may begin.
    case advance
    /// The target harms: nobody should get it.
    case abort
  }

  /// What is known of the stage.
  package struct Assessment: Sendable, Equatable {
    package var verdict: Verdict
    /// Devices that the stage means, there or not.
    package var meant: Int
    /// Of them those that are there.
    package var online: Int
    /// Devices on which the target serves, or was refused.
    package var reached: Int
    package var failures: Int
    /// Where the rate of failures lies.
    package var interval: WilsonInterval
  }

  package var policy: Policy

  package init(policy: Policy = Policy()) { self.policy = policy }

  /// Judges a stage that began `elapsedSeconds` ago.
  ///
  /// Devices that are away count in no denominator: they join when they appear.
  package func assess(_ devices: [Device], elapsedSeconds: Int64) -> Assessment {
    let meant = devices.filter(\.isMeant)
    let reached = devices.filter { $0.serves || $0.failure != nil }
    let failures = reached.count { $0.failure != nil }
    let interval = WilsonInterval(failures: failures, of: reached.count)
    let online = meant.count(where: \.isOnline)
    let mismatches = reached.count { $0.failure == "gate-mismatch" }
    let onlineReached = meant.count { $0.isOnline && ($0.serves || $0.failure != nil) }
    let needed = max(policy.reachedMinimum, Int((policy.reachedPart * Double(online)).rounded(.up)))
    let verdict: Verdict =
      if mismatches >= policy.mismatches
        || failures >= policy.failuresMinimum && interval.lower > policy.failureRate
      {
        .abort
      } else if elapsedSeconds >= policy.soakSeconds,
        // A stage of fewer devices than the minimum is done when all of them are.
        // A small part of a small fleet may hold no device at all: there is nothing to wait for.
        onlineReached >= min(needed, max(online, 1)) || meant.isEmpty && !devices.isEmpty,
        interval.upper < policy.failureRate || failures == 0 && onlineReached == online
      {
        .advance
      } else {
        .wait
      }
    return Assessment(
      verdict: verdict, meant: meant.count, online: online, reached: reached.count,
      failures: failures, interval: interval)
  }
}
