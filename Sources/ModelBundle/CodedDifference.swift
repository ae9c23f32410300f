/// The distances of int8 weights from a base's: most are zero, the rest small and of either sign.
///
/// Each is a bit for whether there is any, the sign, and its size in ones; all adapt.
struct ByteDistances {
  /// Sizes from here on are written out.
  private static let sizeCoded = 14
  private static let sizeBits = 7
  private var isAny = AdaptiveBit()
  private var isNegative = AdaptiveBit()
  private var isLarger = [AdaptiveBit](repeating: AdaptiveBit(), count: sizeCoded)

  static func encode(_ bytes: [UInt8], from base: [UInt8]) -> [UInt8] {
    precondition(bytes.count == base.count)
    var models = ByteDistances()
    var encoder = RangeEncoder()
    for i in bytes.indices {
      models.encode(Int8(bitPattern: bytes[i] &- base[i]), &encoder)
    }
    return encoder.finish()
  }

  /// Undoes `encode`; the coded bytes are those after `start`.
  static func decode(_ encoded: [UInt8], from start: Int, base: [UInt8]) throws(ObjectError)
    -> [UInt8]
  {
    var models = ByteDistances()
    var decoder = RangeDecoder(encoded, from: start)
    var bytes = base
    for i in bytes.indices { bytes[i] &+= UInt8(bitPattern: models.decode(&decoder)) }
    guard decoder.isExact else { throw .malformedFrame }
    return bytes
  }

  private mutating func encode(_ distance: Int8, _ encoder: inout RangeEncoder) {
    encoder.encode(distance != 0, &isAny)
    guard distance != 0 else { return }
    encoder.encode(distance < 0, &isNegative)
    let size = Int(distance.magnitude)
    for i in 1..<Self.sizeCoded {
      encoder.encode(size > i, &isLarger[i])
      guard size > i else { return }
    }
    encoder.encode(UInt32(size - Self.sizeCoded), count: Self.sizeBits)
  }

  private mutating func decode(_ decoder: inout RangeDecoder) -> Int8 {
    guard decoder.decode(&isAny) else { return 0 }
    let isNegative = decoder.decode(&isNegative)
    var size = 1
    while size < Self.sizeCoded, decoder.decode(&isLarger[size]) { size += 1 }
    if size == Self.sizeCoded { size += Int(decoder.decode(count: Self.sizeBits)) }
    return Int8(truncatingIfNeeded: isNegative ? -size : size)
  }
}

/// The distances of 32-bit floats from a base's, counted in representable floats.
///
/// A step of training moves weights of all sizes by about as much, so the number of bits of a
/// distance follows from the weight's exponent: that number adapts, for each exponent, and the bits
/// are written out.
struct FloatDistances {
  private static let lengthBits = 6
  private static let exponents = 256
  /// A binary tree of the number of bits for each exponent of the base.
  private var lengths = [AdaptiveBit](repeating: AdaptiveBit(), count: exponents << lengthBits)

  static func encode(_ bytes: [UInt8], from base: [UInt8]) -> [UInt8] {
    precondition(bytes.count == base.count)
    var models = FloatDistances()
    var encoder = RangeEncoder()
    for offset in FloatWords.offsets(bytes.count) {
      let former = FloatWords.word(base, offset)
      let distance =
        FloatWords.order(FloatWords.word(bytes, offset)) &- FloatWords.order(former)
      models.encode(Int32(bitPattern: distance), former, &encoder)
    }
    for byte in bytes[FloatWords.end(bytes.count)...] { encoder.encode(UInt32(byte), count: 8) }
    return encoder.finish()
  }

  /// Undoes `encode`; the coded bytes are those after `start`.
  static func decode(_ encoded: [UInt8], from start: Int, base: [UInt8]) throws(ObjectError)
    -> [UInt8]
  {
    var models = FloatDistances()
    var decoder = RangeDecoder(encoded, from: start)
    var bytes = base
    for offset in FloatWords.offsets(bytes.count) {
      let former = FloatWords.word(base, offset)
      let distance = UInt32(bitPattern: models.decode(former, &decoder))
      FloatWords.store(
        FloatWords.disorder(FloatWords.order(former) &+ distance), &bytes, offset)
    }
    for i in FloatWords.end(bytes.count)..<bytes.count {
      bytes[i] = UInt8(truncatingIfNeeded: decoder.decode(count: 8))
    }
    guard decoder.isExact else { throw .malformedFrame }
    return bytes
  }

  private mutating func encode(
    _ distance: Int32, _ former: UInt32, _ encoder: inout RangeEncoder
  ) {
    let size = distance.magnitude
    let length = UInt32.bitWidth - size.leadingZeroBitCount
    let tree = Self.tree(former)
    var node = 1
    for place in (0..<Self.lengthBits).reversed() {
      let bit = length >> place & 1 == 1
      encoder.encode(bit, &lengths[tree + node])
      node = node << 1 | (bit ? 1 : 0)
    }
    guard length > 0 else { return }
    encoder.encode(distance < 0 ? 1 : 0, count: 1)
    // The highest bit is known.
    encoder.encode(size, count: length - 1)
  }

  private mutating func decode(_ former: UInt32, _ decoder: inout RangeDecoder) -> Int32 {
    let tree = Self.tree(former)
    var node = 1
    for _ in 0..<Self.lengthBits {
      let bit = decoder.decode(&lengths[tree + node])
      node = node << 1 | (bit ? 1 : 0)
    }
    // What is more than a word has was never encoded; its hash will not hold.
    let length = min(node - (1 << Self.lengthBits), UInt32.bitWidth)
    guard length > 0 else { return 0 }
    let isNegative = decoder.decode(count: 1) == 1
    let size: UInt32 = 1 << UInt32(length - 1) | decoder.decode(count: length - 1)
    return Int32(bitPattern: isNegative ? 0 &- size : size)
  }

  private static func tree(_ former: UInt32) -> Int {
    Int(former >> 23 & UInt32(exponents - 1)) << lengthBits
  }
}

/// The 32-bit words of a block, little endian, from its start; up to three bytes at its end belong
/// to no word.
enum FloatWords {
  static let byteCount = 4

  /// Where the words end in `count` bytes.
  static func end(_ count: Int) -> Int { count - count % byteCount }

  static func offsets(_ count: Int) -> StrideTo<Int> {
    stride(from: 0, to: end(count), by: byteCount)
  }

  /// A number that rises with the float whose bits are given.
  static func order(_ bits: UInt32) -> UInt32 { bits >> 31 == 1 ? ~bits : bits | 1 << 31 }

  static func disorder(_ number: UInt32) -> UInt32 {
    number >> 31 == 1 ? number ^ 1 << 31 : ~number
  }

  static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
      | UInt32(bytes[offset + 3]) << 24
  }

  static func store(_ word: UInt32, _ bytes: inout [UInt8], _ offset: Int) {
    for place in 0..<byteCount {
      bytes[offset + place] = UInt8(truncatingIfNeeded: word >> UInt32(8 * place))
    }
  }
}
