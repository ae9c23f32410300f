internal import Tensors

/// A JSON number, cut but not yet rounded: `±mantissa · 10^exponent`, or a word.
struct ScannedNumber {
  enum Form {
    /// Digits alone.
    case integer
    /// With a fraction or an exponent.
    case decimal
    case nan, infinity
  }

  var form: Form
  var isNegative: Bool
  /// The digits as an integer; meaningless when `isExact` is false.
  var mantissa: UInt64
  /// Tens by which the mantissa is to be scaled.
  var exponent: Int
  /// Whether every digit went into the mantissa.
  var isExact: Bool

  /// The number as an integer of a signed type.
  @inline(__always)
  func signed(_ type: DataType, offset: Int) throws(JSONError) -> Int64 {
    guard form == .integer else {
      throw form == .decimal
        ? .notInteger(expected: type, offset: offset) : .outOfRange(expected: type, offset: offset)
    }
    let limit = UInt64(1) << UInt64(type.bitWidth - 1)
    guard isExact, mantissa < limit || (isNegative && mantissa == limit) else {
      throw .outOfRange(expected: type, offset: offset)
    }
    let magnitude = Int64(truncatingIfNeeded: mantissa)
    return isNegative ? 0 &- magnitude : magnitude
  }

  /// The number as an integer of an unsigned type.
  @inline(__always)
  func unsigned(_ type: DataType, offset: Int) throws(JSONError) -> UInt64 {
    guard form == .integer else {
      throw form == .decimal
        ? .notInteger(expected: type, offset: offset) : .outOfRange(expected: type, offset: offset)
    }
    guard isExact, type.bitWidth == 64 || mantissa >> UInt64(type.bitWidth) == 0,
      !isNegative || mantissa == 0
    else { throw .outOfRange(expected: type, offset: offset) }
    return mantissa
  }
}

/// Cuts the number that begins at `position`, by JSON's grammar and the words `NaN` and
/// `Infinity`, and moves `position` behind it.
@inline(__always)
func scanNumber(_ bytes: [UInt8], _ position: inout Int) throws(JSONError) -> ScannedNumber {
  let start = position
  let end = bytes.count
  var at = position
  var number = ScannedNumber(
    form: .integer, isNegative: false, mantissa: 0, exponent: 0, isExact: true)
  if at < end, bytes[at] == UInt8(ascii: "-") {
    number.isNegative = true
    at += 1
  }
  guard at < end else { throw .unexpectedEnd(offset: end) }
  let first = bytes[at]
  let integerStart = at
  while at < end, isDigit(bytes[at]) {
    number.push(bytes[at])
    at += 1
  }
  guard at > integerStart else {
    try scanWord(bytes, &at, &number)
    position = at
    return number
  }
  // A zero stands alone before the point.
  guard first != UInt8(ascii: "0") || at == integerStart + 1 else {
    throw .invalidNumber(offset: start)
  }
  if at < end, bytes[at] == UInt8(ascii: ".") {
    number.form = .decimal
    at += 1
    let fractionStart = at
    number.pushRun(bytes, &at)
    while at < end, isDigit(bytes[at]) {
      number.push(bytes[at])
      at += 1
    }
    guard at > fractionStart else { throw .invalidNumber(offset: start) }
    number.exponent = fractionStart - at
  }
  if at < end, bytes[at] | 0x20 == UInt8(ascii: "e") {
    number.form = .decimal
    try scanExponent(bytes, &at, &number, start: start)
  }
  guard at - start <= JSONLimits.numberBytesMaximum else { throw .invalidNumber(offset: start) }
  position = at
  return number
}

@inline(__always)
private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

extension ScannedNumber {
  /// Appends a decimal digit to the mantissa.
  @inline(__always)
  fileprivate mutating func push(_ digit: UInt8) {
    let value = UInt64(digit &- 0x30)
    // Below this, ten times the mantissa and a digit fit without a check.
    if mantissa < 1_844_674_407_370_955_161 {
      mantissa = mantissa &* 10 &+ value
      return
    }
    let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.addingReportingOverflow(value)
    if overflow || carry { isExact = false } else { mantissa = sum }
  }
}

extension ScannedNumber {
  /// 10^0 to 10^8, by their exponents.
  @inline(__always)
  private static func powerOfTen(_ exponent: Int) -> UInt64 {
    let square = UInt64(exponent & 1 == 0 ? 1 : 10) &* (exponent & 2 == 0 ? 1 : 100)
    return square &* (exponent & 4 == 0 ? 1 : 10_000) &* (exponent & 8 == 0 ? 1 : 100_000_000)
  }

  /// Appends digits eight at a time, up to the first byte that is none, as long as the mantissa
  /// holds them for sure; whatever is left is for `push`.
  ///
  /// Source: the digits of one word are summed by three multiplications, as simdjson does it.
  @inline(__always)
  fileprivate mutating func pushRun(_ bytes: [UInt8], _ at: inout Int) {
    // Ten to the eighth times this, and eight digits, fit.
    while at + 8 <= bytes.count, mantissa < 184_467_440_736 {
      // Sound: the check above leaves eight bytes.
      let word = unsafe bytes.withUnsafeBytes { buffer in
        UInt64(littleEndian: unsafe buffer.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      }
      let values = word ^ 0x3030_3030_3030_3030
      // The high bit of each byte above 9; a carry reaches only bytes behind such a one.
      let others = ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
      let count = others.trailingZeroBitCount / 8
      guard count > 0 else { return }
      // The digits moved to the end, zeros before them.
      var sum = values << UInt64(64 - 8 * count)
      sum = sum &* 10 &+ (sum >> 8)
      let odd = (sum & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
      let even = ((sum >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
      mantissa = mantissa &* Self.powerOfTen(count) &+ ((odd &+ even) >> 32)
      at += count
      guard count == 8 else { return }
    }
  }
}

private func scanExponent(
  _ bytes: [UInt8], _ at: inout Int, _ number: inout ScannedNumber, start: Int
) throws(JSONError) {
  at += 1
  var isNegative = false
  if at < bytes.count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
    isNegative = bytes[at] == UInt8(ascii: "-")
    at += 1
  }
  let digitsStart = at
  var value = 0
  while at < bytes.count, isDigit(bytes[at]) {
    // Beyond this every finite number is zero or too large.
    if value < 100_000 { value = value * 10 + Int(bytes[at] &- 0x30) }
    at += 1
  }
  guard at > digitsStart else { throw .invalidNumber(offset: start) }
  number.exponent += isNegative ? -value : value
}

private func scanWord(
  _ bytes: [UInt8], _ at: inout Int, _ number: inout ScannedNumber
) throws(JSONError) {
  let isNaN = bytes[at] == UInt8(ascii: "N") && !number.isNegative
  let word: StaticString = isNaN ? "NaN" : "Infinity"
  for byte in word.description.utf8 {
    guard at < bytes.count else { throw .unexpectedEnd(offset: at) }
    guard bytes[at] == byte else { throw .unexpectedByte(offset: at) }
    at += 1
  }
  number.form = isNaN ? .nan : .infinity
}
