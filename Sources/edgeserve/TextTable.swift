/// Rows of cells, aligned for a terminal.
struct TextTable {
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]]

  /// A table with these headings.
  init(_ columns: [(heading: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.heading)]
  }

  mutating func append(_ cells: [String]) {
    precondition(cells.count == alignments.count)
    rows.append(cells)
  }

  /// One line for each row, without trailing blanks.
  var lines: [String] {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        if column > 0 { line += "  " }
        line += alignments[column] == .left ? cell + padding : padding + cell
      }
      return String(line.trimmingTrailingBlanks)
    }
  }
}

extension String {
  fileprivate var trimmingTrailingBlanks: Substring {
    guard let last = lastIndex(where: { $0 != " " }) else { return "" }
    return self[...last]
  }
}

/// The beginning of a name that would not fit a column.
func shortened(_ name: String) -> String {
  let limit = 48
  return name.count <= limit ? name : name.prefix(limit - 1) + "…"
}

/// The number with so many digits behind the point, rounded.
func decimal(_ value: Double, digits: Int) -> String {
  guard value.isFinite else { return "–" }
  var unit = 1.0
  for _ in 0..<digits { unit *= 10 }
  let scaled = (abs(value) * unit).rounded()
  guard scaled < 1e18 else { return "\(value)" }
  let whole = UInt64(scaled)
  let sign = value < 0 && whole > 0 ? "-" : ""
  guard digits > 0 else { return sign + "\(whole)" }
  let fraction = "\(whole % UInt64(unit))"
  let zeros = String(repeating: "0", count: digits - fraction.count)
  return sign + "\(whole / UInt64(unit))." + zeros + fraction
}
