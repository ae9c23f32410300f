/// Decompresses one stream of DEFLATE.
///
/// Source: RFC 1951.
struct Inflater {
  private static let lengthBase: [Int] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthBits: [Int] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBase: [Int] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
  private static let distanceBits: [Int] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
  ]
  /// The order in which the lengths of the codes for lengths come.
  private static let orderOfLengths = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
  ]
  private static let fixedLengths =
    [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112)
    + [UInt8](repeating: 7, count: 24) + [UInt8](repeating: 8, count: 8)

  private let input: [UInt8]
  /// The next byte of the input; bits that were read ahead are given back at the end.
  private(set) var position: Int
  private(set) var output: [UInt8] = []
  private let maximum: Int
  private var bits: UInt64 = 0
  private var bitCount = 0

  /// - Parameter maximum: Bytes of output that room is made for.
  init(_ input: [UInt8], from position: Int, maximum: Int) {
    self.input = input
    self.position = position
    self.maximum = maximum
    output.reserveCapacity(maximum)
  }

  /// Reads blocks up to the last one.
  mutating func run() throws(GzipError) {
    var isLast = false
    while !isLast {
      isLast = try take(1) == 1
      switch try take(2) {
      case 0: try storedBlock()
      case 1:
        // Two of the codes for distances mean nothing.
        try block(
          HuffmanCodes(Self.fixedLengths), HuffmanCodes([UInt8](repeating: 5, count: 32)))
      case 2: try dynamicBlock()
      default: throw .invalidData
      }
    }
    position -= bitCount / 8
    bits = 0
    bitCount = 0
  }

  private mutating func storedBlock() throws(GzipError) {
    _ = try take(bitCount % 8)
    let count = try take(16)
    guard try take(16) == count ^ 0xFFFF else { throw .invalidData }
    position -= bitCount / 8
    bits = 0
    bitCount = 0
    guard count <= input.count - position else { throw .truncated }
    guard count <= maximum - output.count else { throw .tooLarge(limit: maximum) }
    output.append(contentsOf: input[position..<(position + count)])
    position += count
  }

  private mutating func dynamicBlock() throws(GzipError) {
    let literalCount = try take(5) + 257
    let distanceCount = try take(5) + 1
    let lengthCount = try take(4) + 4
    guard literalCount <= 286, distanceCount <= 30 else { throw .invalidData }
    var lengthLengths = [UInt8](repeating: 0, count: 19)
    for index in 0..<lengthCount {
      lengthLengths[Self.orderOfLengths[index]] = UInt8(try take(3))
    }
    let lengthCodes = try HuffmanCodes(lengthLengths)
    var lengths: [UInt8] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try decode(lengthCodes)
      switch symbol {
      case 0...15: lengths.append(UInt8(symbol))
      case 16:
        guard let last = lengths.last else { throw .invalidData }
        lengths.append(contentsOf: repeatElement(last, count: 3 + (try take(2))))
      case 17: lengths.append(contentsOf: repeatElement(0, count: 3 + (try take(3))))
      default: lengths.append(contentsOf: repeatElement(0, count: 11 + (try take(7))))
      }
    }
    guard lengths.count == literalCount + distanceCount, lengths[256] != 0 else {
      throw .invalidData
    }
    try block(
      HuffmanCodes(Array(lengths[..<literalCount])),
      HuffmanCodes(Array(lengths[literalCount...])))
  }

  private mutating func block(
    _ literals: HuffmanCodes, _ distances: HuffmanCodes
  ) throws(GzipError) {
    while true {
      let symbol = try decode(literals)
      if symbol < 256 {
        guard output.count < maximum else { throw .tooLarge(limit: maximum) }
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol - 257 < Self.lengthBase.count else { throw .invalidData }
      let length = Self.lengthBase[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
      let code = try decode(distances)
      guard code < Self.distanceBase.count else { throw .invalidData }
      let distance = Self.distanceBase[code] + (try take(Self.distanceBits[code]))
      guard distance <= output.count else { throw .distanceTooFar }
      guard length <= maximum - output.count else { throw .tooLarge(limit: maximum) }
      let start = output.count - distance
      // A repetition may reach into itself.
      for offset in 0..<length { output.append(output[start + offset]) }
    }
  }

  private mutating func decode(_ codes: HuffmanCodes) throws(GzipError) -> Int {
    refill()
    let entry = codes.table[Int(bits & codes.mask)]
    let length = Int(entry & 15)
    guard length > 0 else { throw .invalidData }
    guard length <= bitCount else { throw .truncated }
    bits >>= UInt64(length)
    bitCount -= length
    return Int(entry >> 4)
  }

  /// The next `count` bits, at most 16.
  private mutating func take(_ count: Int) throws(GzipError) -> Int {
    refill()
    guard count <= bitCount else { throw .truncated }
    let value = Int(bits & ((1 << UInt64(count)) - 1))
    bits >>= UInt64(count)
    bitCount -= count
    return value
  }

  private mutating func refill() {
    while bitCount <= 56, position < input.count {
      bits |= UInt64(input[position]) << UInt64(bitCount)
      position += 1
      bitCount += 8
    }
  }
}

/// A set of prefix codes as a table of every way that the next bits can go on.
private struct HuffmanCodes {
  /// By the next bits, the first one lowest: `symbol · 16 + length`; 0 where no code begins so.
  let table: [UInt16]
  let mask: UInt64

  /// - Parameter lengths: Bits of the code of each symbol, 0 for those without one.
  init(_ lengths: [UInt8]) throws(GzipError) {
    var counts = [Int](repeating: 0, count: 16)
    for length in lengths { counts[Int(length)] += 1 }
    let used = lengths.count - counts[0]
    var left = 1
    for length in 1...15 {
      left = left * 2 - counts[length]
      guard left >= 0 else { throw .invalidData }
    }
    // Codes must leave nothing over, but where there is at most one.
    guard left == 0 || used <= 1 else { throw .invalidData }
    let longest = (1...15).last { counts[$0] > 0 } ?? 1
    var next = [Int](repeating: 0, count: 16)
    for length in 1..<15 { next[length + 1] = (next[length] + counts[length]) << 1 }
    var table = [UInt16](repeating: 0, count: 1 << longest)
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let code = next[Int(length)]
      next[Int(length)] += 1
      let reversed = (0..<Int(length)).reduce(0) { $0 << 1 | (code >> $1) & 1 }
      for place in stride(from: reversed, to: table.count, by: 1 << Int(length)) {
        table[place] = UInt16(symbol << 4 | Int(length))
      }
    }
    self.table = table
    mask = UInt64(table.count - 1)
  }
}
