import Tensors

/// Values that look like data and are the same every time: a test signal for measurements.
struct SeededNoise: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The bytes of a tensor: floats from −1 to 1, small indices, truth values, or every code alike.
  mutating func bytes(of type: TensorType) -> [UInt8] {
    let count = type.shape.elementCount ?? 0
    switch type.dataType {
    case .float32: return elements(count) { Float.random(in: -1...1, using: &$0) }
    case .complex64: return elements(2 * count) { Float.random(in: -1...1, using: &$0) }
    case .float64: return elements(count) { Double.random(in: -1...1, using: &$0) }
    case .int32: return elements(count) { Int32.random(in: 0..<50, using: &$0) }
    case .int64: return elements(count) { Int64.random(in: 0..<50, using: &$0) }
    case .bool: return elements(count) { UInt8.random(in: 0...1, using: &$0) }
    // Half-precision numbers below 2: the exponent's highest bit is clear.
    case .float16: return elements(count) { UInt16.random(in: 0..<0x4000, using: &$0) }
    default: return elements(type.byteCount ?? 0) { UInt8.random(in: 0...255, using: &$0) }
    }
  }

  private mutating func elements<T: BitwiseCopyable>(
    _ count: Int, _ make: (inout SeededNoise) -> T
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * MemoryLayout<T>.size)
    for _ in 0..<count {
      unsafe withUnsafeBytes(of: make(&self)) { element in unsafe bytes.append(contentsOf: element) }
    }
    return bytes
  }
}
