import ByteParsing
import ModelBundle
import Runtime
import Tensors

/// Runs golden vectors, each on a fresh state, and compares what comes out with what was recorded.
struct GoldenProof: Sendable {
  private let golden: GoldenVectors

  init(_ golden: GoldenVectors) { self.golden = golden }

  /// - Throws: `goldenMismatch` for the first output that is off by more than its tolerance.
  func run(on slot: InstanceSlot, _ description: VersionDescription) throws(LoadFailure) {
    for (number, vector) in golden.vectors.enumerated() {
      try fits(number, vector.inputs, description.inputs)
      try fits(number, vector.outputs, description.outputs)
      for (index, input) in vector.inputs.enumerated() {
        slot.write(input.array, at: 0, to: index)
      }
      slot.instance.reset()
      slot.instance.run()
      for (index, expected) in vector.outputs.enumerated() {
        let type = description.outputs[index].type.dataType
        let actual = slot.output(index)
        guard actual.count == expected.count else {
          // Of a shape that follows from what the model computes, or not computed at all.
          throw .goldenMismatch(
            vector: number, output: index, largestDifference: .infinity, tolerance: 0)
        }
        let excess = Self.largestExcess(
          actual, expected.array, type, golden.tolerance)
        if excess.difference > excess.tolerance || !excess.difference.isFinite {
          throw .goldenMismatch(
            vector: number, output: index, largestDifference: excess.difference,
            tolerance: excess.tolerance)
        }
      }
    }
  }

  private func fits(
    _ number: Int, _ tensors: [ByteView], _ specifications: [TensorSpecification]
  ) throws(LoadFailure) {
    guard tensors.count == specifications.count else {
      throw .goldenMalformed(
        vector: number, expectedBytes: specifications.reduce(0) { $0 + ($1.type.byteCount ?? 0) },
        actualBytes: tensors.reduce(0) { $0 + $1.count })
    }
    for (tensor, specification) in zip(tensors, specifications) {
      guard let expected = specification.type.byteCount else { continue }
      guard tensor.count == expected else {
        throw .goldenMalformed(
          vector: number, expectedBytes: expected, actualBytes: tensor.count)
      }
    }
  }

  /// The element that exceeds its tolerance by most: how far it is off, and how far it may be.
  ///
  /// A float may be off by `absolute + relative · |expected|`; NaN matches NaN alone, and infinity
  /// itself.
  static func largestExcess(
    _ actual: [UInt8], _ expected: [UInt8], _ declared: DataType,
    _ tolerance: GoldenVectors.Tolerance
  ) -> (difference: Double, tolerance: Double) {
    // A complex number is compared part by part.
    let type = declared == .complex64 ? .float32 : declared
    var worst = (difference: 0.0, tolerance: Double(tolerance.integerSteps))
    var worstExcess = -Double.infinity
    let width = max(1, type.bitWidth / 8)
    for start in stride(from: 0, to: min(actual.count, expected.count), by: width) {
      let a = number(actual, start, type)
      let b = number(expected, start, type)
      let allowed =
        type.isFloatingPoint
        ? tolerance.absolute + tolerance.relative * (b.isFinite ? abs(b) : 0)
        : Double(tolerance.integerSteps)
      let same = a == b || (a.isNaN && b.isNaN)
      let difference = same ? 0 : (a - b).isNaN ? Double.infinity : abs(a - b)
      if difference - allowed > worstExcess {
        worstExcess = difference - allowed
        worst = (difference, allowed)
      }
    }
    return worst
  }

  /// The element at byte `start`, exact for every type up to 53 bits.
  static func number(_ bytes: [UInt8], _ start: Int, _ type: DataType) -> Double {
    let width = max(1, type.bitWidth / 8)
    let bits = bytes[start..<start + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return switch type {
    case .int8: Double(Int8(truncatingIfNeeded: bits))
    case .int16: Double(Int16(truncatingIfNeeded: bits))
    case .int32: Double(Int32(truncatingIfNeeded: bits))
    case .int64: Double(Int64(truncatingIfNeeded: bits))
    case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float64: Double(bitPattern: bits)
    case .float16: Double(halfBits: UInt16(truncatingIfNeeded: bits))
    case .bool, .uint8, .uint16, .uint32, .uint64, .int4, .complex64, .string: Double(bits)
    }
  }
}

extension Double {
  /// The value of an IEEE 754 binary16, also where the platform has no such type.
  fileprivate init(halfBits: UInt16) {
    let magnitude: Double
    let fraction = Double(halfBits & 0x3FF)
    switch (halfBits >> 10) & 0x1F {
    case 0: magnitude = fraction * 0x1p-24
    case 31: magnitude = fraction == 0 ? .infinity : .nan
    case let exponent:
      magnitude = Double(
        sign: .plus, exponent: Int(exponent) - 15, significand: 1 + fraction / 1024)
    }
    self = halfBits >> 15 == 0 ? magnitude : -magnitude
  }
}
