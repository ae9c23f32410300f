import CVector
import KernelInterface

/// Operations of two codes of 8 bits in the reference kernels' own integers, prepared once for a call.
///
/// - Source: TensorFlow Lite's reference kernels of `PRELU`, `SQUARED_DIFFERENCE` and the comparisons.
struct CodeOperation {
  private let operation: ElementOperation
  private let left: FixedPointRatio
  private let right: FixedPointRatio
  private let output: FixedPointRatio
  private let leftZeroPoint: Int32
  private let rightZeroPoint: Int32
  private let zeroPoint: Int64

  /// Nil for an operation that is computed on the numbers that the codes stand for.
  init?(_ arguments: BinaryElementsArguments) {
    let (a, b) = (arguments.leftScheme.scale, arguments.rightScheme.scale)
    let result = arguments.outputScheme.scale
    switch arguments.operation {
    case .prelu:
      left = FixedPointRatio(FixedPointScale(Double(a / result)))
      right = FixedPointRatio(FixedPointScale(Double(a * b / result)))
      output = FixedPointRatio(FixedPointScale(1))
    case .squaredDifference:
      let widest = 2 * Double(max(a, b))
      left = FixedPointRatio(FixedPointScale(Double(a) / widest))
      right = FixedPointRatio(FixedPointScale(Double(b) / widest))
      output = FixedPointRatio(FixedPointScale(widest * widest / (0x1p14 * Double(result))))
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual:
      left = FixedPointRatio(FixedPointScale(Double(a)))
      right = FixedPointRatio(FixedPointScale(Double(b)))
      output = FixedPointRatio(FixedPointScale(1))
    default: return nil
    }
    operation = arguments.operation
    leftZeroPoint = arguments.leftScheme.zeroPoint
    rightZeroPoint = arguments.rightScheme.zeroPoint
    zeroPoint = Int64(arguments.outputScheme.zeroPoint)
  }

  /// The code of the result, not yet bounded.
  @inline(__always)
  func code(_ a: Int32, _ b: Int32) -> Int64 {
    let (first, second) = (a &- leftZeroPoint, b &- rightZeroPoint)
    if case .prelu = operation {
      return (first >= 0 ? left.apply(first) : right.apply(first &* second)) &+ zeroPoint
    }
    let difference = left.apply(first &<< 7) &- right.apply(second &<< 7)
    return output.apply(Int32(truncatingIfNeeded: difference &* difference)) &+ zeroPoint
  }

  /// The codes of sixteen results, bounded.
  @inline(__always)
  func codes(_ a: SIMD16<Int8>, _ b: SIMD16<Int8>) -> SIMD16<Int8> {
    let first = cv_widen_x16(a) &- SIMD16(repeating: leftZeroPoint)
    let second = cv_widen_x16(b) &- SIMD16(repeating: rightZeroPoint)
    let sums: SIMD16<Int64>
    if case .prelu = operation {
      let positive = left.apply(cv_long_x16(first))
      let negative = right.apply(cv_long_x16(first &* second))
      sums = positive.replacing(with: negative, where: cv_long_x16(first) .< 0)
    } else {
      let scaled = left.apply(cv_long_x16(first &* SIMD16(repeating: 128)))
      let difference = scaled &- right.apply(cv_long_x16(second &* SIMD16(repeating: 128)))
      sums = output.apply(difference &* difference)
    }
    let zero = Int32(truncatingIfNeeded: zeroPoint)
    let codes = cv_bounded_x16(sums, -128 &- zero, 127 &- zero)
    return cv_narrow_x16(codes &+ SIMD16(repeating: zero))
  }

  /// The truth of a comparison.
  @inline(__always)
  func truth(_ a: Int32, _ b: Int32) -> Bool {
    let first = left.apply((a &- leftZeroPoint) &<< 8)
    let second = right.apply((b &- rightZeroPoint) &<< 8)
    switch operation {
    case .equal: return first == second
    case .notEqual: return first != second
    case .less: return first < second
    case .lessEqual: return first <= second
    case .greater: return first > second
    default: return first >= second
    }
  }
}
