import Agent

/// The table of models and versions, as wide as its content, and at most 80 columns.
struct StatusTable {
  private static let headings = [
    "MODEL", "VERSION", "STATE", "LABELS", "REQUESTS", "ERRORS", "P50", "P99", "MEMORY",
  ]
  /// Columns whose words stand to the left; numbers stand to the right.
  private static let leading: Set<Int> = [0, 2, 3]
  private static let widthMaximum = 80
  private static let retiredMaximum = 2

  private var rows: [[String]]

  init(_ models: [AgentStatus.Model]) {
    rows = [Self.headings]
    for model in models {
      if model.versions.isEmpty { rows.append([model.name, "-", "none"] + blank(6)) }
      for (index, version) in Self.shown(model.versions).enumerated() {
        rows.append([index == 0 ? model.name : ""] + Self.cells(version))
      }
    }
  }

  func lines() -> [String] {
    var widths = Self.headings.indices.map { column in
      rows.map { $0[column].count }.max() ?? 0
    }
    // Names give way first, then labels.
    for column in [0, 3] {
      let excess = widths.reduce(0, +) + widths.count - 1 - Self.widthMaximum
      if excess > 0 { widths[column] = max(6, widths[column] - excess) }
    }
    return rows.map { row in
      var line = row.enumerated().map { column, cell in
        Self.fit(cell, widths[column], leading: Self.leading.contains(column))
      }.joined(separator: " ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// All that live and what failed, but of those that merely left only the latest.
  private static func shown(_ versions: [AgentStatus.Version]) -> [AgentStatus.Version] {
    let latest = versions.filter { $0.state == "retired" }.prefix(retiredMaximum)
    return versions.filter { $0.state != "retired" || latest.contains($0) }
  }

  private static func cells(_ version: AgentStatus.Version) -> [String] {
    let bytes = version.memory.weightsBytes + version.memory.arenaBytes
    return [
      "\(version.version)", version.state, version.labels.joined(separator: ","),
      "\(version.requests)", "\(version.errors)",
      version.requests > version.errors ? duration(version.latency.p50) : "-",
      version.requests > version.errors ? duration(version.latency.p99) : "-",
      bytes > 0 ? ByteSize.describe(bytes) : "-",
    ]
  }

  /// Microseconds in three digits or so.
  static func duration(_ microseconds: Int) -> String {
    switch microseconds {
    case ..<1_000: "\(microseconds)us"
    case ..<10_000: "\(microseconds / 1000).\(microseconds % 1000 / 100)ms"
    case ..<10_000_000: "\(microseconds / 1000)ms"
    default: "\(microseconds / 1_000_000)s"
    }
  }

  static func fit(_ cell: String, _ width: Int, leading: Bool) -> String {
    if cell.count > width { return cell.prefix(max(0, width - 1)) + "…" }
    let space = String(repeating: " ", count: width - cell.count)
    return leading ? cell + space : space + cell
  }

  private func blank(_ count: Int) -> [String] { [String](repeating: "", count: count) }
}
