import Agent
import JSONDocuments

/// Draws the status document for people, in 80 columns.
struct StatusScreen {
  /// Whether colours may be used.
  var colour: Bool

  private enum Style: String {
    case bold = "1", dim = "2", red = "31;1", yellow = "33;1", green = "32;1"
  }

  func text(_ status: AgentStatus) -> String {
    var lines = header(status) + [""] + health(status)
    lines +=
      [""]
      + StatusTable(status.models).lines().enumerated().map { index, line in
        index == 0 ? paint(line, .dim) : paintState(line)
      }
    lines += [""] + memory(status.memory) + weights(status.models)
    if let delivery = status.delivery { lines += self.delivery(delivery) }
    lines += failures(status)
    return lines.map { $0 + "\n" }.joined()
  }

  private func header(_ status: AgentStatus) -> [String] {
    let agent = status.agent
    return [
      paint("edgeserve \(agent.version)", .bold)
        + "  board \(agent.board)  kernels \(agent.kernels)  pid \(agent.pid)"
        + "  up \(Self.duration(agent.uptimeSeconds))"
    ]
  }

  private func health(_ status: AgentStatus) -> [String] {
    let words: String =
      switch status.health {
      case .ok where status.models.isEmpty: paint("OK", .green) + ": no models yet."
      case .ok: paint("OK", .green) + ": every model answers."
      case .degraded: paint("DEGRADED", .yellow) + ": every model answers, but look at this:"
      case .failing: paint("FAILING", .red) + ": not every model answers."
      }
    let names = status.problems.compactMap(ProblemName.of).reduce(into: [String]()) { list, name in
      if !list.contains(name) { list.append(name) }
    }
    let manual =
      names.isEmpty
      ? []
      : Self.wrap(
        "See \(names.joined(separator: ", ")) in \(ProblemName.page).", indent: "  ", first: "")
    return [words] + status.problems.flatMap { Self.wrap($0, indent: "  ", first: "- ") }
      + manual.map { paint($0, .dim) }
  }

  private func memory(_ memory: AgentStatus.Memory) -> [String] {
    var charged = "charged \(ByteSize.describe(memory.chargedBytes))"
    if let budget = memory.budgetBytes {
      let percent = budget > 0 ? Int(Double(memory.chargedBytes) / Double(budget) * 100) : 0
      let share = percent == 0 && memory.chargedBytes > 0 ? "less than 1" : "\(percent)"
      charged += " of \(ByteSize.describe(budget)) (\(share) %)"
    } else {
      charged += ", no budget set"
    }
    return [
      "\(paint("MEMORY", .dim))    \(charged)",
      "          resident \(ByteSize.describe(memory.rssBytes)),"
        + " \(ByteSize.describe(memory.rssAnonBytes)) of it anonymous",
    ]
  }

  /// What packed weights lie in, where some lie in files.
  private func weights(_ models: [AgentStatus.Model]) -> [String] {
    let memories = models.flatMap(\.versions).map(\.memory)
    let mapped = memories.reduce(0) { $0 + ($1.weightsFileBytes ?? 0) }
    guard mapped > 0 else { return [] }
    let all = memories.reduce(0) { $0 + $1.weightsBytes }
    return [
      "          packed weights \(ByteSize.describe(mapped)) in files,"
        + " \(ByteSize.describe(all - mapped)) anonymous"
    ]
  }

  private func delivery(_ delivery: DeliveryStatus) -> [String] {
    let connection = delivery.connected ? "connected" : paint("not connected", .yellow)
    var lines = ["\(paint("DELIVERY", .dim))  broker \(delivery.broker) \(connection)"]
    var state = delivery.state
    if !delivery.release.isEmpty { state = "\(delivery.release) " + state }
    if delivery.state == "fetching" { state += " \(delivery.progressPercent) %" }
    if let cause = delivery.cause { state += " (\(cause))" }
    if !state.isEmpty { lines.append("          " + state) }
    if let until = delivery.heldUntil {
      lines.append(
        "          installs nothing until "
          + (until == 0 ? "it is let go" : UTCTime.text(seconds: Int(until), milliseconds: 0)))
    }
    return lines
  }

  private func failures(_ status: AgentStatus) -> [String] {
    var lines: [String] = []
    for model in status.models {
      for version in model.versions {
        guard let cause = version.cause else { continue }
        lines += Self.wrap(
          "\(model.name) \(version.version) \(version.state): \(CauseSentence.of(cause))",
          indent: "  ", first: "")
      }
    }
    if let cause = status.delivery?.cause {
      lines += Self.wrap("delivery: \(CauseSentence.of(cause))", indent: "  ", first: "")
    }
    return lines.isEmpty ? [] : ["", paint("RECENT FAILURES", .dim)] + lines
  }

  private func paintState(_ line: String) -> String {
    for (word, style) in [(" serving ", Style.green), (" refused ", .red)] {
      guard colour, let range = line.firstPlace(of: word) else { continue }
      return line[..<range.lowerBound] + paint(word, style) + line[range.upperBound...]
    }
    return line
  }

  private func paint(_ text: String, _ style: Style) -> String {
    colour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// The two largest units.
  static func duration(_ seconds: Int) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
    case ..<86_400: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    default: "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
    }
  }

  /// Breaks `text` at spaces into lines of 80 columns.
  static func wrap(_ text: String, indent: String, first: String) -> [String] {
    var lines: [String] = []
    var line = indent + first
    var isEmpty = true
    for word in text.split(separator: " ") {
      if !isEmpty, line.count + 1 + word.count > 80 {
        lines.append(line)
        line = indent + String(repeating: " ", count: first.count)
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return lines + [line]
  }
}
