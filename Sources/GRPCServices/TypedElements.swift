import ByteParsing
import Tensors

/// Elements of a tensor on their way between the integers of the wire, which are 64 bits wide, and
/// the packed little-endian bytes of a tensor.
struct TypedElements {
  let type: DataType
  private(set) var bytes: [UInt8] = []
  private let width: Int

  /// - Parameter count: Elements that room is made for.
  init(_ type: DataType, count: Int) {
    self.type = type
    width = max(1, type.bitWidth / 8)
    bytes.reserveCapacity(count * width)
  }

  private var strings = 0

  var count: Int { type == .string ? strings : bytes.count / width }

  /// Appends an element of strings.
  mutating func append(string: ArraySlice<UInt8>) {
    StringElements.append(string, to: &bytes)
    strings += 1
  }

  /// Appends an integer, and says whether the type holds it; negative ones come as two's complement
  /// of 64 bits.
  mutating func append(_ value: UInt64) -> Bool {
    let signed = Int64(bitPattern: value)
    let fits =
      switch type {
      case .bool: value <= 1
      case .int8: Int8(exactly: signed) != nil
      case .int16: Int16(exactly: signed) != nil
      case .int32: Int32(exactly: signed) != nil
      case .uint8: UInt8(exactly: value) != nil
      case .uint16, .float16: UInt16(exactly: value) != nil
      case .uint32: UInt32(exactly: value) != nil
      case .int64, .uint64: true
      case .float32, .float64, .complex64, .int4, .string: false
      }
    guard fits else { return false }
    for place in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    return true
  }

  /// Appends a number to elements of float32 or float64.
  mutating func append(number: Double) {
    let bits = type == .float32 ? UInt64(Float(number).bitPattern) : number.bitPattern
    for place in 0..<width { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * place))) }
  }

  /// Appends elements that lie on the wire as they do in a tensor.
  mutating func append(raw: ArraySlice<UInt8>) { bytes.append(contentsOf: raw) }

  /// Repeats the last element of numbers, or zero when there is none, up to `count` elements.
  mutating func fill(to count: Int) {
    guard type != .string else { return }
    let last = bytes.isEmpty ? [UInt8](repeating: 0, count: width) : Array(bytes.suffix(width))
    for _ in self.count..<max(count, self.count) { bytes.append(contentsOf: last) }
  }
}

/// The elements of a tensor of integers, as the wire wants them: 64 bits, negative ones as two's
/// complement.
struct WireIntegers: Sequence, IteratorProtocol {
  private let bytes: [UInt8]
  private let width: Int
  private let isSigned: Bool
  private var position = 0

  init(_ bytes: [UInt8], _ type: DataType) {
    self.bytes = bytes
    width = Swift.max(1, type.bitWidth / 8)
    isSigned =
      switch type {
      case .int8, .int16, .int32, .int64: true
      default: false
      }
  }

  mutating func next() -> UInt64? {
    guard position + width <= bytes.count else { return nil }
    var value: UInt64 = 0
    for place in 0..<width { value |= UInt64(bytes[position + place]) << UInt64(8 * place) }
    position += width
    let unused = UInt64(64 - 8 * width)
    guard isSigned, unused > 0 else { return value }
    return UInt64(bitPattern: Int64(bitPattern: value << unused) >> Int64(unused))
  }
}
