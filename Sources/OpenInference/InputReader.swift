internal import Serving
internal import TensorJSON
internal import Tensors

/// One element of `inputs`, its fields in any order; the data may lie in the binary part.
struct InputReader {
  private var name: String
  private var type: DataType
  private var shape: Shape
  private var elementCount: Int
  private var byteCount: Int
  /// The elements that stood in `data`; nil when they are in the binary part.
  private var listed: [UInt8]?
  private var parameters = Parameters()

  /// - Parameter index: The place among the inputs, for messages.
  init(_ reader: inout JSONReader, index: Int, _ description: VersionDescription) throws {
    var name: String?
    var typeName: String?
    var extents: [Int]?
    var dataStart: Int?
    var seen = SeenFields()
    try reader.openObject()
    while let key = try reader.nextKey() {
      try seen.insert(key)
      switch key {
      case "name": name = try reader.readString()
      case "datatype": typeName = try reader.readString()
      case "shape": extents = try Self.readExtents(&reader, input: name ?? "\(index)")
      case "data": dataStart = try reader.postponeValue()
      case "parameters": parameters = try reader.readParameters()
      default: try reader.skipValue()
      }
    }
    guard let name else { throw RequestError.missingField("name", input: index) }
    guard let typeName else { throw RequestError.missingField("datatype", input: index) }
    guard let extents else { throw RequestError.missingField("shape", input: index) }
    guard let type = dataType(named: typeName) else {
      throw RequestError.unknownDatatype(typeName, input: name)
    }
    if let extent = extents.first(where: { $0 < 0 }) {
      throw RequestError.invalidExtent(extent, input: name)
    }
    shape = Shape(extents)
    guard let elementCount = shape.elementCount, let byteCount = type.byteCount(of: elementCount)
    else { throw RequestError.shapeTooLarge(input: name) }
    let places = [
      dataStart != nil, parameters.binaryByteCount != nil, parameters.region != nil,
    ]
    guard places.filter(\.self).count == 1 else {
      throw RequestError.dataPlace(input: name)
    }
    // An input that the model lacks is refused before its data are read.
    guard description.inputs.contains(where: { $0.name == name }) else {
      throw ServingError.unknownInput(name: name)
    }
    self.name = name
    self.type = type
    self.elementCount = elementCount
    self.byteCount = byteCount
    guard let dataStart else { return }
    listed = try decode(reader.resumed(at: dataStart))
  }

  /// The tensor, its binary data taken from `body` at `offset`, which moves on.
  func finish(
    _ body: [UInt8], _ offset: inout Int, _ regions: (String) -> TensorMemory?
  ) throws -> NamedTensor {
    if let listed { return NamedTensor(name: name, dataType: type, shape: shape, bytes: listed) }
    if let region = parameters.region {
      let part = RegionPart(
        region: region, offset: parameters.regionOffset ?? 0,
        byteCount: parameters.regionByteCount ?? byteCount)
      return try part.tensor(name, type, shape, byteCount, regions)
    }
    let size = parameters.binaryByteCount ?? 0
    guard type == .string || size == byteCount else {
      throw RequestError.binarySize(input: name, expected: byteCount, actual: size)
    }
    guard size >= 0, size <= body.count - offset else {
      throw RequestError.binaryShort(input: name, missing: size - (body.count - offset))
    }
    let bytes = Array(body[offset..<(offset + size)])
    offset += size
    return NamedTensor(name: name, dataType: type, shape: shape, bytes: bytes)
  }

  private func decode(_ reader: JSONReader) throws -> [UInt8] {
    var reader = reader
    var decoder = try TensorDecoder(
      type, expectedCount: min(elementCount, reader.remainingCount / 2 + 1),
      countMaximum: reader.remainingCount)
    try decoder.append(from: &reader)
    let (found, bytes) = decoder.finish()
    let foundCount = found.elementCount ?? -1
    guard foundCount == elementCount else {
      throw RequestError.elementCount(input: name, expected: elementCount, actual: foundCount)
    }
    // One list holds a tensor of any shape; nested lists hold the one shape that they spell.
    guard found.rank == 1 || found == shape else {
      throw RequestError.nesting(input: name, expected: shape, actual: found)
    }
    return bytes
  }

  private static func readExtents(_ reader: inout JSONReader, input: String) throws -> [Int] {
    var extents: [Int] = []
    try reader.openArray()
    while try reader.nextElement() {
      guard extents.count < Shape.rankMaximum else {
        throw RequestError.rankTooHigh(limit: Shape.rankMaximum, input: input)
      }
      extents.append(try reader.readInteger())
    }
    return extents
  }
}
