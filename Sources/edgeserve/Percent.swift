/// A part of a fleet in hundredths of a percent, as people write it.
enum Percent {
  /// `12.5 %`.
  static func text(_ hundredths: Int64) -> String {
    let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    let digits = rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)"
    return rest == 0 ? "\(whole) %" : "\(whole).\(digits) %"
  }

  /// The part that `12.5` or `12.5%` names; nil when it is none from 0.01 to 100.
  static func hundredths(_ text: String) -> Int64? {
    let number = text.hasSuffix("%") ? text.dropLast() : text[...]
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ $0.allSatisfy(\.isNumber) }),
      let whole = Int64(parts[0]), (0...100).contains(whole)
    else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard fraction.count <= 2,
      let rest = Int64(fraction + String(repeating: "0", count: 2 - fraction.count))
    else { return nil }
    let hundredths = whole * 100 + rest
    return (1...10_000).contains(hundredths) ? hundredths : nil
  }
}
