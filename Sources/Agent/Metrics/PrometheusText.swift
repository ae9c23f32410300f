/// Writes metrics in Prometheus' text format, version 0.0.4.
struct PrometheusText {
  enum Kind: String { case counter, gauge, histogram }

  private(set) var bytes: [UInt8] = []

  /// Begins a family; its samples follow.
  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    bytes += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n".utf8
  }

  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
    let isWhole = value == value.rounded() && abs(value) < 1e15
    line(name, labels, isWhole ? "\(Int64(value))" : "\(value)")
  }

  mutating func sample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
    line(name, labels, "\(value)")
  }

  private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
    bytes += name.utf8
    if !labels.isEmpty {
      bytes.append(UInt8(ascii: "{"))
      for (index, (label, value)) in labels.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += label.utf8
        bytes += "=\"".utf8
        append(escaped: value)
        bytes.append(UInt8(ascii: "\""))
      }
      bytes.append(UInt8(ascii: "}"))
    }
    bytes += " \(value)\n".utf8
  }

  private mutating func append(escaped text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): bytes += "\\n".utf8
      default: bytes.append(byte)
      }
    }
  }
}
