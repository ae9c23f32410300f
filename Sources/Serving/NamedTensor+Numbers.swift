import Tensors

extension NamedTensor {
  /// Element `index` as a number; NaN for types that are none, and beyond the end.
  package func number(at index: Int) -> Double {
    let width = dataType.bitWidth / 8
    guard width > 0, index >= 0, index < bytes.count / width else { return .nan }
    let element = bytes[(index * width)..<((index + 1) * width)]
    let bits = element.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return switch dataType {
    case .int8: Double(Int8(truncatingIfNeeded: bits))
    case .int16: Double(Int16(truncatingIfNeeded: bits))
    case .int32: Double(Int32(truncatingIfNeeded: bits))
    case .int64: Double(Int64(truncatingIfNeeded: bits))
    case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float64: Double(bitPattern: bits)
    case .bool, .uint8, .uint16, .uint32, .uint64: Double(bits)
    default: .nan
    }
  }
}
