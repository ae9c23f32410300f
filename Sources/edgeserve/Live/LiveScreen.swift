import Agent

/// The lines that `status --watch` adds: requests and latency of the last minute.
struct LiveScreen {
  private static let graphWidth = 24
  private static let nameWidth = 14

  let history: LiveHistory

  /// Two graphs for each model, in 80 columns.
  func lines(_ models: [String]) -> [String] {
    guard !history.looks.isEmpty, !models.isEmpty else { return [] }
    let heading = StatusTable.fit("LAST MINUTE", Self.nameWidth, leading: true)
    return ["", heading + " requests/s" + String(repeating: " ", count: 21) + " mean latency"]
      + models.map { model in
        let (rates, latencies) = (history.rates(of: model), history.latencies(of: model))
        let rate = decimal(rates.last ?? 0, digits: (rates.last ?? 0) < 10 ? 1 : 0)
        let latency =
          (latencies.last ?? 0) > 0 ? StatusTable.duration(Int(latencies.last ?? 0)) : "-"
        return StatusTable.fit(model, Self.nameWidth, leading: true) + " "
          + Sparkline.text(rates, width: Self.graphWidth) + StatusTable.fit(rate, 7, leading: false)
          + " " + Sparkline.text(latencies, width: Self.graphWidth)
          + StatusTable.fit(latency, 7, leading: false)
      }
  }
}

/// The table of `top`: models by the time that they take, the busiest first.
enum TopTable {
  /// - Parameters:
  ///   - look: what came in the last interval.
  ///   - status: for what is charged and what serves.
  static func lines(_ look: LiveHistory.Look, _ status: AgentStatus) -> [String] {
    var table = TextTable([
      ("MODEL", .left), ("VERSION", .left), ("BUSY", .right), ("REQ/S", .right),
      ("ERR/S", .right), ("QUEUE", .right), ("INFER", .right), ("MEMORY", .right),
    ])
    let busiest = status.models.sorted { left, right in
      let (a, b) = (counters(left, look).inferSeconds, counters(right, look).inferSeconds)
      return a == b ? left.name < right.name : a > b
    }
    for model in busiest {
      let counters = counters(model, look)
      let serving = model.versions.filter { $0.state == "serving" }
      let bytes = model.versions.reduce(0) { $0 + $1.memory.weightsBytes + $1.memory.arenaBytes }
      func mean(_ seconds: Double) -> String {
        guard counters.answered > 0 else { return "-" }
        return StatusTable.duration(Int(seconds / Double(counters.answered) * 1e6))
      }
      table.append([
        shortened(model.name), serving.map { "\($0.version)" }.joined(separator: ","),
        decimal(counters.inferSeconds / look.seconds * 100, digits: 1) + " %",
        decimal(Double(counters.answered) / look.seconds, digits: 1),
        decimal(Double(counters.failed) / look.seconds, digits: 1),
        mean(counters.queueSeconds), mean(counters.inferSeconds), ByteSize.describe(bytes),
      ])
    }
    return table.lines
  }

  private static func counters(
    _ model: AgentStatus.Model, _ look: LiveHistory.Look
  ) -> ModelCounters { look.models[model.name] ?? ModelCounters() }
}
