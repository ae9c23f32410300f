import Tensors

/// What the numbers of a model's inputs must be, besides their type and shape.
package struct InputRules: Sendable, Equatable {
  /// Whether NaN and the infinities are taken.
  package var allowsNonFinite = true
  /// The least and the greatest number; nil for any.
  package var range: ClosedRange<Double>?

  package init() {}

  /// Whether every number will do.
  var isTrivial: Bool { allowsNonFinite && range == nil }

  /// The index of the first element of `tensor` that breaks a rule; nil when none does.
  ///
  /// Types without an order, and half precision, are taken as they are.
  func firstViolation(_ tensor: NamedTensor) -> Int? {
    switch tensor.dataType {
    case .float32: first(tensor) { Double(Float(bitPattern: $0)) }
    case .float64: first(tensor) { Double(bitPattern: $0) }
    case .int8: first(tensor) { (bits: UInt8) in Double(Int8(bitPattern: bits)) }
    case .uint8: first(tensor) { (bits: UInt8) in Double(bits) }
    case .int16: first(tensor) { (bits: UInt16) in Double(Int16(bitPattern: bits)) }
    case .uint16: first(tensor) { (bits: UInt16) in Double(bits) }
    case .int32: first(tensor) { (bits: UInt32) in Double(Int32(bitPattern: bits)) }
    case .uint32: first(tensor) { (bits: UInt32) in Double(bits) }
    case .int64: first(tensor) { (bits: UInt64) in Double(Int64(bitPattern: bits)) }
    case .uint64: first(tensor) { (bits: UInt64) in Double(bits) }
    case .bool, .string, .complex64, .int4, .float16: nil
    }
  }

  private func first<Bits: FixedWidthInteger & UnsignedInteger>(
    _ tensor: NamedTensor, _ number: (Bits) -> Double
  ) -> Int? {
    let width = Bits.bitWidth / 8
    return unsafe tensor.bytes.withUnsafeBytes { bytes in
      for index in 0..<bytes.count / width {
        // Sound: the last element ends within the bytes.
        let bits = unsafe bytes.loadUnaligned(fromByteOffset: index * width, as: Bits.self)
        if !admits(number(Bits(littleEndian: bits))) { return index }
      }
      return nil
    }
  }

  private func admits(_ number: Double) -> Bool {
    guard number.isFinite else {
      // A range speaks of infinities too, and never of NaN.
      return allowsNonFinite && (range.map { number.isNaN || $0.contains(number) } ?? true)
    }
    return range?.contains(number) ?? true
  }
}
