import Tensors

/// Reductions of no elements, as of rows of which none was selected.
extension Reduce.Kind {
  /// Whether there is a result for no elements of that type; an empty mean is not a number.
  func isDefinedOnNothing(_ type: DataType) -> Bool { bytesOfNothing(type) != nil }

  /// The result for no elements of that type; nil where there is none.
  func bytesOfNothing(_ type: DataType) -> [UInt8]? {
    switch type {
    case .float32: bytes(real.bitPattern)
    case .int32: integer(Int32.self).map { bytes($0) }
    case .int64: integer(Int64.self).map { bytes($0) }
    case .bool:
      switch self {
      case .any: [0]
      case .all: [1]
      default: nil
      }
    default: nil
    }
  }

  private var real: Float {
    switch self {
    case .sum, .any: 0
    case .product, .all: 1
    case .maximum: -.greatestFiniteMagnitude
    case .minimum: .greatestFiniteMagnitude
    case .mean: .nan
    }
  }

  private func integer<T: FixedWidthInteger>(_: T.Type) -> T? {
    switch self {
    case .sum, .any: 0
    case .product, .all: 1
    case .maximum: .min
    case .minimum: .max
    case .mean: nil
    }
  }

  private func bytes(_ bits: some FixedWidthInteger) -> [UInt8] {
    (0..<bits.bitWidth / 8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
  }
}
