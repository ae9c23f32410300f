package import Tensors

/// Decodes nested JSON lists straight into packed little-endian elements, and finds their shape.
///
/// Several values of one shape may be appended; they become rows of one tensor.
package struct TensorDecoder: Sendable {
  package let dataType: DataType
  /// The values appended so far.
  package private(set) var rowCount = 0
  private var elements: ElementBuffer
  private var elementCount = 0
  private let countMaximum: Int
  /// Extents of one value by level, of which there are `Shape.rankMaximum`; −1 where no list has ended
  /// yet.
  private var extents = SIMD8(repeating: -1)
  /// Lists above each element; −1 before the first.
  private var leafLevel = -1
  /// Finished elements of the open lists by level.
  private var counts = SIMD8(repeating: 0)

  /// - Parameters:
  ///   - dataType: A type with a JSON form: not `float16`, `int4` or `complex64`.
  ///   - expectedCount: Elements to make room for at once.
  ///   - countMaximum: More elements are refused.
  package init(
    _ dataType: DataType, expectedCount: Int, countMaximum: Int
  ) throws(JSONError) {
    switch dataType {
    case .float16, .int4, .complex64: throw .unsupportedType(dataType)
    default: break
    }
    self.dataType = dataType
    self.countMaximum = countMaximum
    let room = min(max(expectedCount, 0), countMaximum, 1 << 22)
    elements = ElementBuffer(capacity: room * (dataType.bitWidth / 8))
  }

  /// Elements of the outermost list of the last value that were whole when reading it ended.
  package var outerIndex: Int { leafLevel == 1 ? elementCount : counts[0] }

  /// The shape of one value and the elements of all.
  package consuming func finish() -> (rowShape: Shape, bytes: [UInt8]) {
    (Shape((0..<max(leafLevel, 0)).map { extents[$0] }), elements.finish())
  }

  /// Appends the value that comes next: an element, or lists of elements.
  package mutating func append(from reader: inout JSONReader) throws(JSONError) {
    var level = 0
    repeat {
      if try reader.nextByte() == UInt8(ascii: "[") {
        try descend(level, reader.position)
        if try appendSingles(at: &level, from: &reader) { continue }
        counts[level] = 0
        level += 1
        reader.position += 1
        guard try reader.nextByte() == UInt8(ascii: "]") else { continue }
        try setLeafLevel(level, reader.position)
      } else {
        try setLeafLevel(level, reader.position)
        let read = try appendRun(from: &reader, isListed: level > 0)
        if level > 0 { counts[level - 1] += read }
      }
      try ascend(&level, &reader)
    } while level > 0
    rowCount += 1
  }

  private mutating func descend(_ level: Int, _ offset: Int) throws(JSONError) {
    guard level < Shape.rankMaximum else { throw .tooDeep(limit: Shape.rankMaximum, offset: offset) }
    guard leafLevel < 0 || level < leafLevel else {
      throw .wrongLevel(expected: leafLevel, actual: level + 1, offset: offset)
    }
  }

  private mutating func setLeafLevel(_ level: Int, _ offset: Int) throws(JSONError) {
    if leafLevel < 0 { leafLevel = level }
    guard leafLevel == level else {
      throw .wrongLevel(expected: leafLevel, actual: level, offset: offset)
    }
  }

  /// Ends the lists that end here and passes the comma before the next value.
  private mutating func ascend(
    _ level: inout Int, _ reader: inout JSONReader
  ) throws(JSONError) {
    while level > 0 {
      let byte = try reader.nextByte()
      if byte == UInt8(ascii: ",") {
        reader.position += 1
        return
      }
      guard byte == UInt8(ascii: "]") else { throw .unexpectedByte(offset: reader.position) }
      level -= 1
      if extents[level] < 0 { extents[level] = counts[level] }
      guard extents[level] == counts[level] else {
        throw .ragged(
          level: level, expected: extents[level], actual: counts[level], offset: reader.position)
      }
      reader.position += 1
      if level > 0 { counts[level - 1] += 1 }
    }
  }

  /// Appends lists of one number each, `[1], [2]`, as long as they follow upon each other and upon one
  /// before them; whether there were any.
  ///
  /// What is anything else is left to be read, and refused, as every list is.
  private mutating func appendSingles(
    at level: inout Int, from reader: inout JSONReader
  ) throws(JSONError) -> Bool {
    guard level > 0, level + 1 == leafLevel, extents[level] == 1, dataType != .bool,
      dataType != .string
    else { return false }
    let bytes = reader.bytes
    var lists = 0
    var next = reader.position
    while elementCount < countMaximum, next < bytes.count, bytes[next] == UInt8(ascii: "[") {
      next += 1
      let start = next
      guard next < bytes.count, bytes[next] &- 0x30 < 10 || bytes[next] == UInt8(ascii: "-") else {
        break
      }
      let number = try scanNumber(bytes, &next)
      guard next < bytes.count, bytes[next] == UInt8(ascii: "]") else { break }
      try store(number, bytes, start..<next)
      elementCount += 1
      lists += 1
      reader.position = next
      next += 1
      guard next < bytes.count, bytes[next] == UInt8(ascii: ",") else { break }
      repeat { next += 1 } while next < bytes.count && bytes[next] == 0x20
    }
    guard lists > 0 else { return false }
    // The last one is left to be closed, so that whatever follows is looked at.
    counts[level - 1] += lists - 1
    counts[level] = 1
    level += 1
    try ascend(&level, &reader)
    return true
  }

  /// Appends elements up to the end of the list, or one when they are in none; their number.
  private mutating func appendRun(
    from reader: inout JSONReader, isListed: Bool
  ) throws(JSONError) -> Int {
    var count = 0
    while true {
      guard elementCount < countMaximum else {
        throw .tooManyElements(limit: countMaximum, offset: reader.position)
      }
      try appendElement(from: &reader)
      elementCount += 1
      count += 1
      guard isListed, try reader.nextByte() == UInt8(ascii: ",") else { return count }
      let comma = reader.position
      reader.position += 1
      if try reader.nextByte() == UInt8(ascii: "[") {
        // A list among elements: `ascend` passes the comma, and `append` refuses what follows.
        reader.position = comma
        return count
      }
    }
  }

  @inline(__always)
  private mutating func appendElement(from reader: inout JSONReader) throws(JSONError) {
    let kind = try reader.kind()
    let start = reader.position
    if dataType == .bool {
      guard kind == .bool else {
        throw .wrongElement(expected: .bool, actual: kind, offset: start)
      }
      elements.append(try reader.readBool() ? UInt8(1) : 0)
      return
    }
    if dataType == .string {
      elements.append(string: try reader.readBytes())
      return
    }
    guard kind == .number else {
      throw .wrongElement(expected: dataType, actual: kind, offset: start)
    }
    let number = try scanNumber(reader.bytes, &reader.position)
    try store(number, reader.bytes, start..<reader.position)
  }

  @inline(__always)
  private mutating func store(
    _ number: ScannedNumber, _ bytes: [UInt8], _ range: Range<Int>
  ) throws(JSONError) {
    let offset = range.lowerBound
    switch dataType {
    case .float32:
      let value = DecimalRounding.float(number, bytes, range)
      guard value.isFinite || number.form == .nan || number.form == .infinity else {
        throw .outOfRange(expected: dataType, offset: offset)
      }
      elements.append(value.bitPattern)
    case .float64:
      let value = DecimalRounding.double(number, bytes, range)
      guard value.isFinite || number.form == .nan || number.form == .infinity else {
        throw .outOfRange(expected: dataType, offset: offset)
      }
      elements.append(value.bitPattern)
    case .int8: elements.append(Int8(try number.signed(dataType, offset: offset)))
    case .int16: elements.append(Int16(try number.signed(dataType, offset: offset)))
    case .int32: elements.append(Int32(try number.signed(dataType, offset: offset)))
    case .int64: elements.append(try number.signed(dataType, offset: offset))
    case .uint8: elements.append(UInt8(try number.unsigned(dataType, offset: offset)))
    case .uint16: elements.append(UInt16(try number.unsigned(dataType, offset: offset)))
    case .uint32: elements.append(UInt32(try number.unsigned(dataType, offset: offset)))
    case .uint64: elements.append(try number.unsigned(dataType, offset: offset))
    case .bool, .float16, .int4, .complex64, .string: throw .unsupportedType(dataType)
    }
  }
}
