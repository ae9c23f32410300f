import ByteParsing
import ModelGraph
import Tensors

/// Constants that the file holds in a code of fewer bits, with an operator that decodes them.
///
/// The operator's operands are pairs of what is coded and of a table; the table begins with 16 bytes: the kind of code,
/// its version, two bytes of nothing, and what the kind says of itself.
/// - Source: the decoding operator of TensorFlow Lite for Microcontrollers.
struct TFLiteEncodedTensor {
  private static let headerBytes = 16
  private static let version: UInt8 = 1

  /// The operator's place in the file, and what it makes.
  let index: Int
  let type: TensorType
  private let count: Int
  private let elementBytes: Int
  private let codes: [UInt8]
  private let header: [UInt8]
  private let table: [UInt8]
  /// Channels with a scale each, and elements from one to the next of the same channel's run.
  private let channels: Int
  private let isLastAxis: Bool

  init(
    _ codes: ByteView?, _ table: ByteView?, type: TensorType, operator index: Int
  ) throws(TFLiteError) {
    guard let codes, let table, table.count >= Self.headerBytes,
      let count = type.shape.elementCount,
      [.bool, .float32, .int8, .int16, .int32, .int64].contains(type.dataType),
      // The least that an element takes is a bit.
      count <= 8 * codes.count
    else { throw .encodedTensor(operator: index) }
    self.index = index
    self.type = type
    self.count = count
    elementBytes = type.dataType.bitWidth / 8
    self.codes = codes.array
    header = Array(table.array[..<Self.headerBytes])
    self.table = Array(table.array[Self.headerBytes...])
    let (scales, axis) = Self.scales(of: type)
    let isLast = scales > 1 && axis == type.shape.rank - 1
    isLastAxis = isLast
    channels = scales
    guard header[1] == Self.version, header[4] == Self.version, isLast || scales == 1 || axis == 0
    else { throw .encodedTensor(operator: index) }
  }

  /// How many scales there are, and along which axis.
  ///
  /// Apart, for an optimiser that loses its way where one value is looked at more than once.
  private static func scales(of type: TensorType) -> (count: Int, axis: Int?) {
    guard let quantization = type.quantization else { return (1, nil) }
    return (quantization.scales.count, quantization.axis)
  }

  /// The packed elements.
  func decoded() throws(TFLiteError) -> ByteView {
    switch header[0] {
    case 0: try lookedUp()
    case 1: try unfolded()
    case 2: try unpruned()
    default: throw .encodedTensor(operator: index)
    }
  }

  private func channel(of element: Int) -> Int {
    isLastAxis ? element % channels : element / max(count / channels, 1)
  }

  /// The bits from `place` on, the first the highest; nil beyond the end of the codes.
  private func bits(_ width: Int, at place: Int) -> Int? {
    guard place + width <= 8 * codes.count else { return nil }
    var value = 0
    for bit in place..<place + width {
      value = value << 1 | Int(codes[bit / 8] >> UInt8(7 - bit % 8) & 1)
    }
    return value
  }

  private func element(_ place: Int) throws(TFLiteError) -> ArraySlice<UInt8> {
    let start = place * elementBytes
    guard start + elementBytes <= table.count else { throw .encodedTensor(operator: index) }
    return table[start..<start + elementBytes]
  }

  /// Numbers of `width` bits, each a place in its channel's part of the table.
  private func lookedUp() throws(TFLiteError) -> ByteView {
    let (width, stride) = (Int(header[5] & 7), Int(header[6]))
    guard width > 0 else { throw .encodedTensor(operator: index) }
    var result: [UInt8] = []
    result.reserveCapacity(count * elementBytes)
    for place in 0..<count {
      guard let code = bits(width, at: place * width) else {
        throw .encodedTensor(operator: index)
      }
      result += try element(channel(of: place) * stride + code)
    }
    return ByteView(result)
  }

  /// A bit for each element: the next one of the table, or zero.
  private func unpruned() throws(TFLiteError) -> ByteView {
    let zeros = type.quantization?.zeroPoints ?? [0]
    guard type.dataType == .int8 || zeros.allSatisfy({ $0 == 0 }) else {
      throw .encodedTensor(operator: index)
    }
    var result: [UInt8] = []
    result.reserveCapacity(count * elementBytes)
    var next = 0
    for place in 0..<count {
      if bits(1, at: place) == 1 {
        result += try element(next)
        next += 1
      } else {
        let zero = UInt8(truncatingIfNeeded: zeros[min(channel(of: place), zeros.count - 1)])
        result += [zero] + [UInt8](repeating: 0, count: elementBytes - 1)
      }
    }
    return ByteView(result)
  }

  /// Huffman's code, by tables that lead to one another.
  ///
  /// An entry has 16 or 32 bits: whether it is a symbol, four bits of count, and a value. A symbol's count is of its
  /// own bits; another entry's is one less than the bits to read next, and its value leads on from its own place.
  private func unfolded() throws(TFLiteError) -> ByteView {
    let isWide = header[5] & 1 == 1
    guard type.dataType == .int8 || (isWide && type.dataType == .int16) else {
      throw .encodedTensor(operator: index)
    }
    var result: [UInt8] = []
    result.reserveCapacity(count * elementBytes)
    var place = 0
    for _ in 0..<count {
      let symbol = try symbol(at: &place, isWide: isWide)
      for byte in 0..<elementBytes { result.append(UInt8(truncatingIfNeeded: symbol >> (8 * byte))) }
    }
    return ByteView(result)
  }

  private func symbol(at place: inout Int, isWide: Bool) throws(TFLiteError) -> Int {
    let (entryBytes, valueBits) = isWide ? (4, 27) : (2, 11)
    var (width, offset) = (Int(header[5] >> 4) + 1, 0)
    while true {
      // The last symbol may be looked up with more bits than are left, which are zeros then.
      let end = 8 * codes.count
      let missing = max(place + width - end, 0)
      guard missing < width, let read = bits(width - missing, at: place) else {
        throw .encodedTensor(operator: index)
      }
      place += width
      offset += read << missing
      let start = offset * entryBytes
      guard start + entryBytes <= table.count else { throw .encodedTensor(operator: index) }
      let entry = (0..<entryBytes).reduce(0) { $0 | Int(table[start + $1]) << (8 * $1) }
      let count = entry >> valueBits & 15
      let value = entry & ((1 << valueBits) - 1)
      guard entry >> (valueBits + 4) == 0 else {
        guard count > 0 || width == 0 else { throw .encodedTensor(operator: index) }
        place -= max(width - count, 0)
        return value
      }
      offset += value
      width = count + 1
    }
  }
}

extension TFLiteOperatorReader {
  /// An operator that gives constants another form, which they have here from the start.
  func onConstants(
    inputs: [ValueID?], outputs: [ValueID]
  ) throws(TFLiteError) -> [TFLiteOperation] {
    if builtin == .densify {
      guard inputs.count == 1, outputs.count == 1, let source = inputs[0] else {
        throw .graph(.operandCount(node: index, expected: 1...1, actual: inputs.count))
      }
      return [.alias(outputs[0], of: source)]
    }
    guard !outputs.isEmpty, inputs.count == 2 * outputs.count else {
      throw .encodedTensor(operator: index)
    }
    var operations: [TFLiteOperation] = []
    for (place, output) in outputs.enumerated() {
      guard let codes = inputs[2 * place], let table = inputs[2 * place + 1] else {
        throw .encodedTensor(operator: index)
      }
      operations.append(.decode(codes: codes, table: table, output: output, operator: index))
    }
    return operations
  }
}

extension TFLiteSubgraph {
  /// Makes constants of what decoders make.
  mutating func decodeConstants() throws(TFLiteError) {
    var rest: [TFLiteOperation] = []
    for operation in operations {
      guard case .decode(let codes, let table, let output, let index) = operation else {
        rest.append(operation)
        continue
      }
      guard [codes, table, output].allSatisfy({ values.indices.contains($0.index) }) else {
        throw .encodedTensor(operator: index)
      }
      values[output.index].constant = try TFLiteEncodedTensor(
        values[codes.index].constant, values[table.index].constant,
        type: values[output.index].type, operator: index
      ).decoded()
    }
    operations = rest
  }
}
