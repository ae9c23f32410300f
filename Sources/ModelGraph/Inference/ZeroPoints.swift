package import Tensors

extension DataType {
  /// The zero points that codes of this type can have.
  package var zeroPoints: ClosedRange<Int64> {
    switch self {
    case .int4: -8...7
    case .int8: -128...127
    case .uint8: 0...255
    case .int16: -32768...32767
    case .uint16: 0...65535
    default: Int64(Int32.min)...Int64(Int32.max)
    }
  }
}
