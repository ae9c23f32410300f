import ModelDelivery
import Serving

/// Decides how the agent is doing, and says why.
enum HealthJudgement {
  /// What is wanted of a model of this device.
  struct LocalFacts {
    /// Where it is looked for.
    var path: String
    var labels: [String: Int64] = [:]
    /// Somebody took it out of service.
    var isHeld = false
    var canary: CanaryStatus?
  }

  /// - Parameter local: the models of this device.
  static func judge(
    _ models: [(name: String, versions: [VersionStatus])], _ delivery: DeliveryStatus?,
    local: [String: LocalFacts] = [:]
  ) -> (health: AgentStatus.Health, problems: [String]) {
    var failing: [String] = []
    var degraded: [String] = []
    for (name, versions) in models {
      let serving = versions.filter { $0.state == .serving }.map(\.version).max()
      let isComing = versions.contains { [.staged, .preparing, .proving].contains($0.state) }
      if serving == nil, local[name]?.isHeld == true { continue }
      if serving == nil {
        failing.append(
          isComing
            ? "\(name): no version serves yet; one is being loaded."
            : "\(name): no version serves" + whereabouts(versions, local[name]))
      }
      for version in versions where version.state == .refused {
        // What was refused before the version that serves is history.
        guard let cause = version.cause, version.version >= serving ?? 0 else { continue }
        degraded.append(
          "\(name) \(version.version) was refused (\(cause.code)): \(cause.sentence)")
      }
      for version in versions where version.state == .serving {
        guard let problem = version.weightsRefusal?.problem else { continue }
        degraded.append(
          "\(name) \(version.version): its packed weights are in no file, as \(problem).")
      }
      if let canary = local[name]?.canary, let cause = canary.reverted {
        degraded.append(
          "\(name): the canary, version \(canary.canary.version), was taken back: \(cause.sentence)")
      }
      guard !isComing else { continue }
      for (label, target) in (local[name]?.labels ?? [:]).sorted(by: { $0.key < $1.key })
      where !versions.contains(where: { $0.version == target && $0.state == .serving }) {
        degraded.append("\(name): the label \(label) names version \(target), which does not serve.")
      }
    }
    if let delivery {
      if !delivery.connected {
        degraded.append(
          "Delivery: the broker \(delivery.broker) is not connected"
            + (delivery.cause.map { " (\($0))." } ?? "."))
      } else if delivery.cause == Cause.sourceBehind.rawValue {
        degraded.append(
          "Delivery: the broker \(delivery.broker) missed the director's newest word "
            + "(\(Cause.sourceBehind.rawValue)); the device keeps to what it heard before.")
      } else if let cause = delivery.cause, cause != Cause.held.rawValue {
        degraded.append(
          "Delivery: \(delivery.release.isEmpty ? "the last offer" : delivery.release)"
            + " failed (\(cause)).")
      }
    }
    let health: AgentStatus.Health =
      !failing.isEmpty ? .failing : !degraded.isEmpty ? .degraded : .ok
    return (health, Array((failing + degraded).prefix(AgentLimits.problemsMaximum)))
  }

  /// Where a first version is looked for.
  private static func whereabouts(_ versions: [VersionStatus], _ local: LocalFacts?) -> String {
    guard versions.isEmpty else { return "." }
    guard let local else { return "; none was delivered yet." }
    return "; none was found at \(local.path)."
  }
}
