/// The element type of a tensor.
package enum DataType: UInt8, Sendable, Equatable, Hashable, CaseIterable {
  case bool, int8, uint8, int16, uint16, int32, uint32, int64, uint64
  case float16, float32, float64
  /// A pair of float32, the real part first.
  case complex64
  /// Two signed 4-bit values a byte, low half first; a weight type only.
  case int4
  /// Variable-length byte strings; never on a kernel's path.
  case string

  /// Bits of one element; 0 for `string`, whose elements differ in size.
  package var bitWidth: Int {
    switch self {
    case .bool, .int8, .uint8: 8
    case .int16, .uint16, .float16: 16
    case .int32, .uint32, .float32: 32
    case .int64, .uint64, .float64, .complex64: 64
    case .int4: 4
    case .string: 0
    }
  }

  /// Bytes that `count` packed elements take, rounded up; nil when the product overflows.
  package func byteCount(of count: Int) -> Int? {
    let (bits, overflow) = count.multipliedReportingOverflow(by: bitWidth)
    guard !overflow, bits <= Int.max - 7 else { return nil }
    return (bits + 7) / 8
  }

  package var isFloatingPoint: Bool {
    switch self {
    case .float16, .float32, .float64: true
    default: false
    }
  }
}
