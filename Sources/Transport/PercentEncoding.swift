/// Cuts a request path into its segments and decodes their percent escapes.
///
/// `/v1/models/a%20b` gives `["v1", "models", "a b"]`. Nil for a path that does not begin with
/// `/`, a broken escape, bytes that are no UTF-8, or a zero byte.
package func pathSegments(_ path: String) -> [String]? {
  let bytes = path.utf8
  guard bytes.first == UInt8(ascii: "/") else { return nil }
  var segments: [String] = []
  for piece in bytes.dropFirst().split(
    separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
  {
    guard let segment = percentDecoded(Substring(piece)) else { return nil }
    segments.append(segment)
  }
  return segments
}

/// `text` with its percent escapes decoded; nil for a broken escape, bytes that are no UTF-8, or a
/// zero byte.
package func percentDecoded(_ text: Substring) -> String? {
  guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
  var decoded: [UInt8] = []
  var rest = text.utf8[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "%") else {
      decoded.append(byte)
      continue
    }
    guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue),
      high << 4 | low != 0
    else { return nil }
    decoded.append(high << 4 | low)
  }
  return String(validating: decoded, as: UTF8.self)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
