extension JSONParser {
  /// A number; integers that fit 64 bits stay exact.
  mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = position
    while let byte = next,
      Self.isNamePart(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        || byte == UInt8(ascii: "+")
    { position += 1 }
    var digits = String(decoding: text[start..<position], as: UTF8.self)
    let isNegative = digits.first == "-"
    if isNegative || digits.first == "+" { digits.removeFirst() }
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      guard let magnitude = Self.magnitude(digits.dropFirst(2), radix: 16) else {
        throw failure(.number, at: start)
      }
      guard let value = Self.integer(magnitude, isNegative) else { throw failure(.number, at: start) }
      return value
    }
    guard digits.utf8.first.map({ Self.isDigit($0) || $0 == UInt8(ascii: ".") }) == true,
      !(digits.hasPrefix("0") && digits.utf8.dropFirst().first.map(Self.isDigit) == true)
    else { throw failure(.number, at: start) }
    if let magnitude = Self.magnitude(digits[...], radix: 10),
      let value = Self.integer(magnitude, isNegative)
    {
      return value
    }
    guard let value = Self.real(digits) else { throw failure(.number, at: start) }
    return .number(isNegative ? -value : value)
  }

  private static func magnitude(_ digits: Substring, radix: Int) -> UInt64? {
    digits.utf8.allSatisfy({ isNamePart($0) }) ? UInt64(digits, radix: radix) : nil
  }

  private static func integer(_ magnitude: UInt64, _ isNegative: Bool) -> JSONValue? {
    if !isNegative {
      return Int64(exactly: magnitude).map { .integer($0) } ?? .large(magnitude)
    }
    if magnitude == 0 { return .number(-0.0) }
    guard magnitude <= Int64.min.magnitude else { return nil }
    return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
  }

  /// Digits with at most one point and one exponent; finite.
  private static func real(_ digits: String) -> Double? {
    let parts = digits.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
    let parted = parts.count == 2 ? parts : digits.split(separator: "E", maxSplits: 1, omittingEmptySubsequences: false)
    let mantissa = parted[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard mantissa.allSatisfy({ $0.utf8.allSatisfy(isDigit) }), mantissa.contains(where: { !$0.isEmpty })
    else { return nil }
    if parted.count == 2 {
      let exponent = parted[1].first.map { $0 == "-" || $0 == "+" } == true ? parted[1].dropFirst() : parted[1]
      guard !exponent.isEmpty, exponent.utf8.allSatisfy(isDigit) else { return nil }
    }
    let whole = mantissa[0].isEmpty ? "0" : String(mantissa[0])
    let fraction = mantissa.count == 2 && !mantissa[1].isEmpty ? "." + mantissa[1] : ""
    let exponent = parted.count == 2 ? "e" + parted[1] : ""
    guard let value = Double(whole + fraction + exponent), value.isFinite else { return nil }
    return value
  }

  /// A string in either kind of quotes.
  mutating func string() throws(JSONSyntaxError) -> String {
    let start = position
    let quote = text[position]
    position += 1
    var bytes: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case quote:
        guard let string = String(validating: bytes, as: UTF8.self) else {
          throw failure(.encoding, at: start)
        }
        return string
      case UInt8(ascii: "\\"): try escape(into: &bytes)
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"): throw failure(.unfinishedString, at: start)
      default: bytes.append(byte)
      }
    }
    throw failure(.unfinishedString, at: start)
  }

  private mutating func escape(into bytes: inout [UInt8]) throws(JSONSyntaxError) {
    let start = position - 1
    guard let byte = next else { throw failure(.unfinishedString, at: start) }
    position += 1
    switch byte {
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "v"): bytes.append(0x0B)
    case UInt8(ascii: "\n"): break
    case UInt8(ascii: "\r"): _ = take("\n")
    case UInt8(ascii: "x"): append(try hexadecimal(2, start), &bytes)
    case UInt8(ascii: "u"): append(try scalar(start), &bytes)
    case UInt8(ascii: "1")...UInt8(ascii: "9"), UInt8(ascii: "0"): throw failure(.escape, at: start)
    default: bytes.append(byte)
    }
  }

  private func append(_ scalar: UInt32, _ bytes: inout [UInt8]) {
    // Halves of pairs are refused before.
    guard let scalar = Unicode.Scalar(scalar) else { return }
    bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
  }

  /// The scalar after `\u`, of one code unit or a surrogate pair.
  private mutating func scalar(_ start: Int) throws(JSONSyntaxError) -> UInt32 {
    let high = try hexadecimal(4, start)
    guard (0xD800...0xDFFF).contains(high) else { return high }
    guard high < 0xDC00, take("\\"), take("u") else { throw failure(.escape, at: start) }
    let low = try hexadecimal(4, start)
    guard (0xDC00...0xDFFF).contains(low) else { throw failure(.escape, at: start) }
    return 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
  }

  private mutating func hexadecimal(_ count: Int, _ start: Int) throws(JSONSyntaxError) -> UInt32 {
    guard text.count - position >= count,
      text[position..<position + count].allSatisfy({ Self.isNamePart($0) }),
      let value = UInt32(String(decoding: text[position..<position + count], as: UTF8.self), radix: 16)
    else { throw failure(.escape, at: start) }
    position += count
    return value
  }
}
