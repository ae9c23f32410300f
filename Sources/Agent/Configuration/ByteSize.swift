/// Sizes as people write them: `1048576`, `64MiB`, `1.5 GB` is refused.
package enum ByteSize {
  private static let units: [(suffix: String, bytes: Int)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("B", 1),
  ]

  /// The bytes that `text` means; at least 1.
  package static func parse(_ text: String, key: String) throws(AgentError) -> Int {
    let unit = units.first { text.hasSuffix($0.suffix) }
    let digits = text.dropLast(unit?.suffix.count ?? 0)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let count = Int(digits), count > 0
    else { throw refusal(text, key) }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: unit?.bytes ?? 1)
    guard !overflow else { throw refusal(text, key) }
    return bytes
  }

  /// `text` for people: at most one decimal, in binary units.
  package static func describe(_ bytes: Int) -> String {
    let scaled: [(Int, String)] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
    for (unit, name) in scaled where bytes >= unit {
      let tenths = Int((Double(bytes) / Double(unit) * 10).rounded())
      return tenths >= 1000 || tenths % 10 == 0
        ? "\((tenths + 5) / 10) \(name)" : "\(tenths / 10).\(tenths % 10) \(name)"
    }
    return "\(bytes) B"
  }

  private static func refusal(_ text: String, _ key: String) -> AgentError {
    .invalidValue(key: key, value: text, expected: "a number of bytes, or one with KiB, MiB or GiB")
  }
}
