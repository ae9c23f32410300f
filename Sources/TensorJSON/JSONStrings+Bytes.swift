import Tensors

/// Elements of tensors of strings, which may be whole files.
extension JSONReader {
  /// The bytes of the string that comes next, or those that `{"b64": "…"}` encodes.
  mutating func readBytes() throws(JSONError) -> [UInt8] {
    let kind = try kind()
    switch kind {
    case .string: return try readText()
    case .object: break
    default: throw .wrongElement(expected: .string, actual: kind, offset: position)
    }
    let start = position
    try openObject()
    guard try nextKey() == "b64" else {
      throw .wrongElement(expected: .string, actual: .object, offset: start)
    }
    let place = position
    guard try self.kind() == .string else { throw .invalidString(offset: place) }
    let (content, hasEscapes) = try nextContent()
    let text = hasEscapes ? try Self.unescape(content)[...] : content
    guard let bytes = decodeBase64(text) else { throw .invalidString(offset: place) }
    guard try nextKey() == nil else {
      throw .wrongElement(expected: .string, actual: .object, offset: start)
    }
    return bytes
  }

  /// The string that comes next as UTF-8, however long.
  private mutating func readText() throws(JSONError) -> [UInt8] {
    let start = position
    let (content, hasEscapes) = try nextContent()
    let bytes = hasEscapes ? try Self.unescape(content) : Array(content)
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw .invalidString(offset: start)
    }
    return bytes
  }

  /// What stands between the quotation marks of the string that comes next.
  private mutating func nextContent() throws(JSONError) -> (ArraySlice<UInt8>, Bool) {
    let start = position + 1
    let hasEscapes = try skipString()
    return (bytes[start..<(position - 1)], hasEscapes)
  }
}

/// The bytes that base64 stands for, in its usual alphabet or the one for URLs, with or without the
/// padding; nil for any other text.
private func decodeBase64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
  var digits = text
  while digits.last == UInt8(ascii: "="), text.count - digits.count < 2 { digits.removeLast() }
  let padding = text.count - digits.count
  guard digits.count % 4 != 1, padding == 0 || text.count % 4 == 0 else { return nil }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(digits.count / 4 * 3 + 2)
  var (bits, count) = (UInt32(0), 0)
  for digit in digits {
    let value = base64Values[Int(digit)]
    guard value < 64 else { return nil }
    bits = bits << 6 | UInt32(value)
    count += 6
    guard count >= 8 else { continue }
    count -= 8
    bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
  }
  return bytes
}

/// The six bits of each character; 255 for those that are none.
private let base64Values: [UInt8] = {
  var values = [UInt8](repeating: 255, count: 256)
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  for (value, digit) in alphabet.enumerated() { values[Int(digit)] = UInt8(value) }
  values[Int(UInt8(ascii: "-"))] = 62
  values[Int(UInt8(ascii: "_"))] = 63
  return values
}()
