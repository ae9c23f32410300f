import Serving

/// Decides how the agent is doing, and says why.
enum HealthJudgement {
  /// - Parameter paths: where local models are looked for.
  static func judge(
    _ models: [(name: String, versions: [VersionStatus])], _ delivery: DeliveryStatus?,
    paths: [String: String] = [:]
  ) -> (health: AgentStatus.Health, problems: [String]) {
    var failing: [String] = []
    var degraded: [String] = []
    for (name, versions) in models {
      let serving = versions.filter { $0.state == .serving }.map(\.version).max()
      let isComing = versions.contains { [.staged, .preparing, .proving].contains($0.state) }
      if serving == nil {
        failing.append(
          isComing
            ? "\(name): no version serves yet; one is being loaded."
            : "\(name): no version serves" + whereabouts(name, versions, paths))
      }
      for version in versions where version.state == .refused {
        // What was refused before the version that serves is history.
        guard let cause = version.cause, version.version >= serving ?? 0 else { continue }
        degraded.append(
          "\(name) \(version.version) was refused (\(cause.code)): \(cause.sentence)")
      }
    }
    if let delivery {
      if !delivery.connected {
        degraded.append(
          "Delivery: the broker \(delivery.broker) is not connected"
            + (delivery.cause.map { " (\($0))." } ?? "."))
      } else if let cause = delivery.cause {
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
  private static func whereabouts(
    _ name: String, _ versions: [VersionStatus], _ paths: [String: String]
  ) -> String {
    guard versions.isEmpty else { return "." }
    guard let path = paths[name] else { return "; none was delivered yet." }
    return "; none was found at \(path)."
  }
}
