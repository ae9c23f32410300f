import Runtime
import Tensors

/// Rows of seeded noise that are run alone and together.
struct BatchTrial {
  private let description: VersionDescription
  private let size: Int
  /// For each input, all rows one behind the other.
  private var inputs: [[UInt8]] = []
  private var seed: UInt64 = 0x5EED

  /// Times that each size is compared, with noise of its own.
  private static let rounds = 2

  init(_ description: VersionDescription, size: Int) {
    self.description = description
    self.size = size
    refill(amplitude: 1)
  }

  /// Fills the inputs of `one` with noise.
  mutating func fill(_ one: Instance) {
    refill(amplitude: 1)
    load(one, rows: 0..<1)
  }

  /// Whether `many` answers every row to the byte as `one` does.
  mutating func agrees(_ one: Instance, _ many: Instance) -> Bool {
    for round in 0..<Self.rounds {
      // Rows of other magnitudes show what is scaled by all of them together.
      refill(amplitude: round == 0 ? 1 : 16)
      load(many, rows: 0..<size)
      many.run()
      guard many.isComplete else { return false }
      let together = outputs(of: many)
      for row in 0..<size {
        load(one, rows: row..<row + 1)
        one.run()
        for (all, alone) in zip(together, outputs(of: one)) {
          guard all[row * alone.count..<(row + 1) * alone.count] == alone[...] else { return false }
        }
      }
    }
    return true
  }

  /// The least nanoseconds of one row and of all together, taken in turn.
  func time(_ one: Instance, _ many: Instance, runs: Int) -> (one: UInt64, many: UInt64) {
    var least = (one: UInt64.max, many: UInt64.max)
    for _ in 0..<runs {
      for row in 0..<size {
        least.one = min(least.one, timed(one, rows: row..<row + 1))
      }
      least.many = min(least.many, timed(many, rows: 0..<size))
    }
    return least
  }

  private func timed(_ instance: Instance, rows: Range<Int>) -> UInt64 {
    let begun = MonotonicClock.now()
    load(instance, rows: rows)
    instance.run()
    return MonotonicClock.now() - begun
  }

  private func load(_ instance: Instance, rows: Range<Int>) {
    for (index, bytes) in inputs.enumerated() {
      let rowBytes = bytes.count / size
      instance.write(
        bytes, at: rows.lowerBound * rowBytes, count: rows.count * rowBytes, to: index, at: 0)
    }
  }

  private func outputs(of instance: Instance) -> [[UInt8]] {
    description.outputs.indices.map { index in
      unsafe instance.withOutput(index) { output in unsafe [UInt8](output) }
    }
  }

  // MARK: Noise

  private mutating func refill(amplitude: Double) {
    inputs = description.inputs.map { input in
      let type = input.type.dataType
      let count = (input.type.byteCount ?? 0) * size
      var bytes: [UInt8] = []
      bytes.reserveCapacity(count)
      let width = max(1, type.bitWidth / 8)
      let rowElements = max(1, count / width / size)
      for element in 0..<count / width {
        // Each row has a magnitude of its own.
        let scale = amplitude / Double(1 + element / rowElements)
        let bits = pattern(type, scale)
        for byte in 0..<width {
          bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * byte)))
        }
      }
      return bytes
    }
  }

  private mutating func pattern(_ type: DataType, _ amplitude: Double) -> UInt64 {
    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let bits = seed >> 32
    let fraction = (Double(bits) / 2_147_483_648 - 1) * amplitude
    switch type {
    case .float32: return UInt64(Float(fraction).bitPattern)
    case .float64: return fraction.bitPattern
    // Between 0.5 and 2 of either sign.
    case .float16: return bits & 0x8000 | 14 + (bits >> 16 & 1) << 10 | bits & 0x3FF
    case .bool: return bits & 1
    case .int8, .uint8, .int16, .uint16: return bits
    // Such inputs are indices in general, which must lie within something.
    case .int32, .uint32, .int64, .uint64: return bits & 3
    case .int4, .complex64, .string: return 0
    }
  }
}
