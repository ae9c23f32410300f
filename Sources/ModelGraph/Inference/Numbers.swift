import ByteParsing
import Tensors

/// The elements of a small constant as numbers.
enum Numbers {
  /// Of every integer type, and bools as 0 and 1.
  case integers([Int])
  case reals([Float])

  /// Nil for quantised codes, element types without numbers here, and bytes that are too few.
  init?(_ bytes: ByteView, _ type: TensorType) {
    guard let count = type.shape.elementCount, bytes.count == type.byteCount else { return nil }
    do throws(ParsingError) {
      switch type.dataType {
      case .bool: self = .integers(try Numbers.load(UInt8.self, bytes, count))
      case .int32: self = .integers(try Numbers.load(Int32.self, bytes, count))
      case .int64: self = .integers(try Numbers.load(Int64.self, bytes, count))
      case .float32:
        var reals: [Float] = []
        for index in 0..<count {
          reals.append(Float(bitPattern: try bytes.load(UInt32.self, at: 4 * index)))
        }
        self = .reals(reals)
      default: return nil
      }
    } catch {
      return nil
    }
  }

  private static func load<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ bytes: ByteView, _ count: Int
  ) throws(ParsingError) -> [Int] {
    var result: [Int] = []
    for index in 0..<count {
      result.append(Int(try bytes.load(T.self, at: index * MemoryLayout<T>.size)))
    }
    return result
  }

  /// The packed elements; nil for a type that is not made here. Integers wrap.
  func bytes(as type: DataType) -> ByteView? {
    switch (self, type) {
    case (.integers(let values), .bool): ByteView(values.map { $0 == 0 ? UInt8(0) : 1 })
    case (.integers(let values), .int32): ByteView(values.map { Int32(truncatingIfNeeded: $0) })
    case (.integers(let values), .int64): ByteView(values.map { Int64($0) })
    case (.integers(let values), .float32): ByteView(values.map { Float($0) })
    case (.reals(let values), .float32): ByteView(values)
    case (.reals(let values), .bool): ByteView(values.map { $0 == 0 ? UInt8(0) : 1 })
    case (.reals(let values), .int32): ByteView(values.map { Int32(exactlyOrClamped: $0) })
    case (.reals(let values), .int64): ByteView(values.map { Int64(exactlyOrClamped: $0) })
    default: nil
    }
  }
}

extension FixedWidthInteger {
  /// The whole part of `value`, saturated; zero for NaN.
  fileprivate init(exactlyOrClamped value: Float) {
    guard value == value else {
      self = 0
      return
    }
    if value >= Float(Self.max) {
      self = .max
    } else if value <= Float(Self.min) {
      self = .min
    } else {
      self = Self(value)
    }
  }
}

extension Binary.Kind {
  /// The operation on two integers; nil where it is not defined.
  func value(_ a: Int, _ b: Int) -> Int? {
    switch self {
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply: return a &* b
    case .minimum: return Swift.min(a, b)
    case .maximum: return Swift.max(a, b)
    case .divide: return b == 0 ? nil : a.dividedReportingOverflow(by: b).partialValue
    case .floorDivide, .floorModulo:
      guard b != 0 else { return nil }
      let (quotient, _) = a.dividedReportingOverflow(by: b)
      let (remainder, _) = a.remainderReportingOverflow(dividingBy: b)
      let isAbove = remainder != 0 && (remainder < 0) != (b < 0)
      if self == .floorDivide { return isAbove ? quotient - 1 : quotient }
      return isAbove ? remainder + b : remainder
    case .squaredDifference: return (a &- b) &* (a &- b)
    case .equal: return a == b ? 1 : 0
    case .notEqual: return a != b ? 1 : 0
    case .less: return a < b ? 1 : 0
    case .lessEqual: return a <= b ? 1 : 0
    case .greater: return a > b ? 1 : 0
    case .greaterEqual: return a >= b ? 1 : 0
    case .logicalAnd: return a != 0 && b != 0 ? 1 : 0
    case .logicalOr: return a != 0 || b != 0 ? 1 : 0
    case .bitwiseXor: return a ^ b
    case .rightShift: return a >> Swift.min(Swift.max(b, 0), 63)
    case .power, .prelu, .arcTangent: return nil
    }
  }

  /// The operation on two real numbers; nil where kernels alone compute it.
  func value(_ a: Float, _ b: Float) -> Float? {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .minimum: Swift.min(a, b)
    case .maximum: Swift.max(a, b)
    case .equal: a == b ? 1 : 0
    case .notEqual: a != b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterEqual: a >= b ? 1 : 0
    default: nil
    }
  }
}
