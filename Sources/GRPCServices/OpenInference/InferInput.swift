import ByteParsing
import GRPC
import OpenInference
import Serving
import Tensors

/// One `InferInputTensor`, its data still on the wire.
struct InferInput {
  private let name: String
  private let type: DataType
  private let shape: Shape
  private let elementCount: Int
  private let byteCount: Int
  private let contents: ProtobufReader?
  private let part: RegionPart?
  /// Whether the data are in memory that the client handed over.
  var isShared: Bool { part != nil }

  /// - Parameter index: The place among the inputs, for messages.
  init(_ start: ProtobufReader, index: Int) throws {
    var reader = start
    var name = ""
    var typeName = ""
    var extents: [Int] = []
    var contents: ProtobufReader?
    var region: String?
    var regionOffset = 0
    var regionByteCount: Int?
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.text(field)
      case 2: typeName = try reader.text(field)
      case 3:
        try reader.integers(field) { (value) throws(ProtobufError) in
          guard extents.count < Shape.rankMaximum else {
            throw .tooManyElements(field: 3, limit: Shape.rankMaximum)
          }
          extents.append(Int(Int64(bitPattern: value)))
        }
      case 4:
        let (key, value) = try readEntry(try reader.message(field))
        guard let value else { continue }
        switch key {
        case "shared_memory_region": region = try InferCall.text(value)
        case "shared_memory_offset": regionOffset = try InferCall.integer(value) ?? 0
        case "shared_memory_byte_size": regionByteCount = try InferCall.integer(value)
        default: break
        }
      case 5: contents = try reader.message(field)
      default: try reader.skip(field)
      }
    }
    guard !name.isEmpty else { throw RequestError.missingField("name", input: index) }
    guard let type = dataType(named: typeName) else {
      throw RequestError.unknownDatatype(typeName, input: name)
    }
    if let extent = extents.first(where: { $0 < 0 }) {
      throw RequestError.invalidExtent(extent, input: name)
    }
    shape = Shape(extents)
    guard let elementCount = shape.elementCount, let byteCount = type.byteCount(of: elementCount)
    else { throw RequestError.shapeTooLarge(input: name) }
    self.name = name
    self.type = type
    self.elementCount = elementCount
    self.byteCount = byteCount
    self.contents = contents
    part = region.map {
      RegionPart(region: $0, offset: regionOffset, byteCount: regionByteCount ?? byteCount)
    }
  }

  /// The tensor, its data taken from `raw` or from the typed contents.
  ///
  /// What the model cannot take is refused before room is made for it.
  func tensor(
    raw: ArraySlice<UInt8>?, _ description: VersionDescription, _ memory: CallMemory,
    batchMaximum: Int, regions: (String) -> TensorMemory?
  ) throws -> NamedTensor {
    guard let expected = description.inputs.first(where: { $0.name == name }) else {
      throw ServingError.unknownInput(name: name)
    }
    guard type == expected.type.dataType else {
      throw ServingError.wrongDataType(
        input: name, expected: expected.type.dataType, actual: type)
    }
    let rows = (expected.type.shape.elementCount ?? 0).multipliedReportingOverflow(
      by: batchMaximum)
    guard rows.overflow || elementCount <= rows.partialValue else {
      throw ServingError.wrongShape(
        input: name, expected: expected.signatureShape, actual: shape)
    }
    if let part {
      guard contents == nil || contents?.remainingCount == 0 else {
        throw RequestError.dataPlace(input: name)
      }
      return try part.tensor(name, type, shape, byteCount, regions)
    }
    return NamedTensor(
      name: name, dataType: type, shape: shape,
      bytes: try raw.map { try bytes(raw: $0) } ?? typed(memory))
  }

  private func bytes(raw: ArraySlice<UInt8>) throws -> [UInt8] {
    guard contents == nil || contents?.remainingCount == 0 else {
      throw RequestError.contentsBesideRaw(input: name)
    }
    guard raw.count == byteCount || type == .string else {
      throw RequestError.binarySize(input: name, expected: byteCount, actual: raw.count)
    }
    return Array(raw)
  }

  private func typed(_ memory: CallMemory) throws -> [UInt8] {
    guard let own = contentsField(of: type) else {
      throw RequestError.rawOnly(input: name, type)
    }
    // On the wire an element may take less than in the tensor.
    try memory.take(byteCount)
    var elements = TypedElements(type, count: elementCount)
    var found = 0
    var reader = contents ?? ProtobufReader([])
    while let field = try reader.next() {
      guard field.number == own else {
        try reader.skip(field)
        continue
      }
      switch type {
      case .float32: elements.append(raw: try reader.fixed32Elements(field))
      case .float64: elements.append(raw: try reader.fixed64Elements(field))
      case .string:
        let element = try reader.bytes(field)
        try memory.take(element.count)
        if elements.count < elementCount { elements.append(string: element) } else { found += 1 }
      default:
        var misfit: UInt64?
        try reader.integers(field) { (value) throws(ProtobufError) in
          guard elements.count < elementCount else { return found += 1 }
          if misfit == nil, !elements.append(value) { misfit = value }
        }
        if let misfit {
          throw RequestError.elementRange(Int64(bitPattern: misfit), input: name, type)
        }
      }
      guard elements.bytes.count <= byteCount || type == .string else { break }
    }
    found += elements.count
    guard found == elementCount else {
      throw RequestError.elementCount(input: name, expected: elementCount, actual: found)
    }
    return elements.bytes
  }
}

/// The field of `InferTensorContents` that holds elements of `type`; nil for types that come as raw
/// bytes alone.
func contentsField(of type: DataType) -> Int? {
  switch type {
  case .bool: 1
  case .int8, .int16, .int32: 2
  case .int64: 3
  case .uint8, .uint16, .uint32: 4
  case .uint64: 5
  case .float32: 6
  case .float64: 7
  case .string: 8
  case .float16, .int4, .complex64: nil
  }
}
