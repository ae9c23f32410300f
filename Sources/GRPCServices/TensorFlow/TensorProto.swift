import ByteParsing
import GRPC
import Serving
import TensorFlowServing
import Tensors

/// A `TensorProto`, its data still on the wire.
struct TensorProto {
  private let reader: ProtobufReader
  private let typeNumber: UInt64
  private let extents: [Int]
  private let content: ArraySlice<UInt8>

  init(_ start: ProtobufReader) throws(ProtobufError) {
    var reader = start
    var typeNumber: UInt64 = 0
    var extents: [Int] = []
    var content: ArraySlice<UInt8> = []
    while let field = try reader.next() {
      switch field.number {
      case 1: typeNumber = try reader.integer(field)
      case 2: extents = try Self.extents(try reader.message(field))
      case 4: content = try reader.bytes(field)
      default: try reader.skip(field)
      }
    }
    self.reader = start
    self.typeNumber = typeNumber
    self.extents = extents
    self.content = content
  }

  /// The tensor for the input that `expected` specifies.
  ///
  /// What the model cannot take is refused before room is made for it.
  /// - Throws: `ServingError`, `TensorFlowRefusal`, `ProtobufError`, or a `GRPCStatus`.
  func tensor(
    for expected: TensorSpecification, _ memory: CallMemory, batchMaximum: Int
  ) throws -> NamedTensor {
    let name = expected.name
    guard let type = dataType(numbered: typeNumber) else {
      throw TensorFlowRefusal.unknownType(typeNumber, input: name)
    }
    guard type == expected.type.dataType else {
      throw ServingError.wrongDataType(
        input: name, expected: expected.type.dataType, actual: type)
    }
    let shape = Shape(extents)
    let limit = (expected.type.shape.elementCount ?? 0).multipliedReportingOverflow(
      by: batchMaximum)
    guard let count = shape.elementCount, limit.overflow || count <= limit.partialValue,
      let byteCount = type.byteCount(of: count)
    else {
      throw ServingError.wrongShape(
        input: name, expected: expected.signatureShape, actual: shape)
    }
    guard content.isEmpty else {
      guard content.count == byteCount else {
        throw ServingError.wrongByteCount(
          input: name, expected: byteCount, actual: content.count)
      }
      return NamedTensor(name: name, dataType: type, shape: shape, bytes: Array(content))
    }
    // On the wire an element may take less than in the tensor, and one may stand for all.
    try memory.take(byteCount)
    let bytes = try values(type, count: count, memory, input: name)
    return NamedTensor(name: name, dataType: type, shape: shape, bytes: bytes)
  }

  private func values(
    _ type: DataType, count: Int, _ memory: CallMemory, input: String
  ) throws -> [UInt8] {
    let own = valuesField(of: type)
    var elements = TypedElements(type, count: count)
    var extra = 0
    var reader = reader
    while let field = try reader.next() {
      guard field.number == own else {
        try reader.skip(field)
        continue
      }
      switch type {
      case .float32, .complex64: elements.append(raw: try reader.fixed32Elements(field))
      case .float64: elements.append(raw: try reader.fixed64Elements(field))
      case .string:
        let element = try reader.bytes(field)
        try memory.take(element.count)
        if elements.count < count { elements.append(string: element) } else { extra += 1 }
      default:
        var misfit: UInt64?
        try reader.integers(field) { (value) throws(ProtobufError) in
          guard elements.count < count else { return extra += 1 }
          if misfit == nil, !elements.append(value) { misfit = value }
        }
        if let misfit {
          throw TensorFlowRefusal.valueRange(Int64(bitPattern: misfit), input: input, type)
        }
      }
      guard elements.count <= count else { break }
    }
    // A string that stood for many would take room that nobody sent.
    guard elements.count + extra <= count, type != .string || elements.count == count else {
      throw TensorFlowRefusal.tooManyValues(
        input: input, expected: count, actual: elements.count + extra)
    }
    elements.fill(to: count)
    return elements.bytes
  }

  private static func extents(_ start: ProtobufReader) throws(ProtobufError) -> [Int] {
    var reader = start
    var extents: [Int] = []
    while let field = try reader.next() {
      guard field.number == 2 else {
        try reader.skip(field)
        continue
      }
      guard extents.count < Shape.rankMaximum else {
        throw .tooManyElements(field: 2, limit: Shape.rankMaximum)
      }
      var dimension = try reader.message(field)
      var size = 0
      while let field = try dimension.next() {
        if field.number == 1 {
          size = Int(try dimension.int64(field))
        } else {
          try dimension.skip(field)
        }
      }
      extents.append(size)
    }
    return extents
  }
}

extension ProtobufWriter {
  /// A `TensorProto` with its elements in the list of their type.
  mutating func tensorProto(_ tensor: NamedTensor) {
    integer(1, typeNumber(tensor.dataType))
    message(2) { $0.shape(tensor.shape) }
    let field = valuesField(of: tensor.dataType)
    switch tensor.dataType {
    case .string:
      let ranges = StringElements.ranges(tensor.bytes[...], count: tensor.shape.elementCount ?? 0)
      for range in ranges ?? [] { bytes(field, tensor.bytes[range]) }
    case .float32, .float64, .complex64: if !tensor.bytes.isEmpty { bytes(field, tensor.bytes) }
    default: packed(field, WireIntegers(tensor.bytes, tensor.dataType))
    }
  }

  /// A `TensorShapeProto`.
  mutating func shape(_ shape: Shape) {
    for extent in shape.extents { message(2) { $0.int64(1, Int64(extent)) } }
  }
}

/// The field of a `TensorProto` that holds elements of `type`.
private func valuesField(of type: DataType) -> Int {
  switch type {
  case .float32: 5
  case .float64: 6
  case .int8, .uint8, .int16, .uint16, .int32, .int4: 7
  case .string: 8
  case .complex64: 9
  case .int64: 10
  case .bool: 11
  case .float16: 13
  case .uint32: 16
  case .uint64: 17
  }
}

/// TensorFlow's number of an element type.
func typeNumber(_ type: DataType) -> UInt64 {
  switch type {
  case .float32: 1
  case .float64: 2
  case .int32: 3
  case .uint8: 4
  case .int16: 5
  case .int8: 6
  case .string: 7
  case .complex64: 8
  case .int64: 9
  case .bool: 10
  case .uint16: 17
  case .float16: 19
  case .uint32: 22
  case .uint64: 23
  case .int4: 29
  }
}

/// The element type that a number of TensorFlow's stands for; nil for those without one here.
func dataType(numbered number: UInt64) -> DataType? {
  DataType.allCases.first { typeNumber($0) == number }
}
