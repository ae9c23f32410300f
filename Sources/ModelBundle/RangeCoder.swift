/// How probable a bit is, learned from the bits before it.
struct AdaptiveBit {
  /// Bits of a probability.
  static let precision: UInt32 = 12
  private static let rate: UInt16 = 5
  /// The probability of a zero in 4096ths; stays between 31 and 4065.
  private(set) var zero: UInt16 = 1 << 11

  mutating func learn(_ bit: Bool) {
    if bit {
      zero -= zero >> Self.rate
    } else {
      zero += ((1 << UInt16(Self.precision)) - zero) >> Self.rate
    }
  }
}

/// Binary arithmetic coding: takes bits with their probabilities, and makes as many bytes as they
/// are surprising.
///
/// The range coder of Martin ("Range encoding", 1979) with the carry handling of LZMA: `low` is the
/// start of the interval that is left, `range` its length, and a byte is written when the carry can
/// no longer change it.
struct RangeEncoder {
  private var low: UInt64 = 0
  private var range = UInt32.max
  /// The byte that a carry may still change, and how many bytes of 255 follow it.
  private var held: UInt8 = 0
  private var heldFull = 0
  private var bytes: [UInt8] = []

  mutating func encode(_ bit: Bool, _ model: inout AdaptiveBit) {
    let bound = (range >> AdaptiveBit.precision) * UInt32(model.zero)
    if bit {
      low += UInt64(bound)
      range -= bound
    } else {
      range = bound
    }
    model.learn(bit)
    normalize()
  }

  /// The lowest `count` bits of `value`, each as probable as not.
  mutating func encode(_ value: UInt32, count: Int) {
    for place in (0..<count).reversed() {
      range >>= 1
      if value >> UInt32(place) & 1 == 1 { low += UInt64(range) }
      normalize()
    }
  }

  /// All bytes; nothing may be encoded afterwards.
  mutating func finish() -> [UInt8] {
    for _ in 0..<5 { shift() }
    // The first byte is the zero that was held before anything was encoded.
    return Array(bytes.dropFirst())
  }

  private mutating func normalize() {
    while range < 1 << 24 {
      range <<= 8
      shift()
    }
  }

  /// Moves the highest byte of `low` out.
  private mutating func shift() {
    if low < 0xFF00_0000 || low > 0xFFFF_FFFF {
      let carry = UInt8(truncatingIfNeeded: low >> 32)
      bytes.append(held &+ carry)
      for _ in 0..<heldFull { bytes.append(255 &+ carry) }
      heldFull = 0
      held = UInt8(truncatingIfNeeded: low >> 24)
    } else {
      heldFull += 1
    }
    low = (low & 0x00FF_FFFF) << 8
  }
}

/// Undoes `RangeEncoder`, with the same models in the same order.
///
/// Any bytes decode to something; bytes beyond the end are zeros, and `isExact` tells afterwards.
struct RangeDecoder {
  private let bytes: [UInt8]
  private var position: Int
  private var code: UInt32 = 0
  private var range = UInt32.max

  /// - Parameter start: where in `bytes` the coded ones begin.
  init(_ bytes: [UInt8], from start: Int) {
    self.bytes = bytes
    position = start
    for _ in 0..<4 { take() }
  }

  /// Whether all bytes were needed, and no more.
  var isExact: Bool { position == bytes.count }

  mutating func decode(_ model: inout AdaptiveBit) -> Bool {
    let bound = (range >> AdaptiveBit.precision) * UInt32(model.zero)
    let bit = code >= bound
    if bit {
      code -= bound
      range -= bound
    } else {
      range = bound
    }
    model.learn(bit)
    normalize()
    return bit
  }

  /// `count` bits that are each as probable as not.
  mutating func decode(count: Int) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      range >>= 1
      let bit = code >= range
      if bit { code -= range }
      value = value << 1 | (bit ? 1 : 0)
      normalize()
    }
    return value
  }

  private mutating func normalize() {
    while range < 1 << 24 {
      range <<= 8
      take()
    }
  }

  private mutating func take() {
    code = code << 8 | (position < bytes.count ? UInt32(bytes[position]) : 0)
    position += 1
  }
}
