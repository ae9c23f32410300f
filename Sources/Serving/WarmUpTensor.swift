import ByteParsing
import Tensors

/// A `TensorProto` of a recorded request, its elements still on the wire.
struct WarmUpTensor {
  private(set) var extents: [Int] = []
  private var typeNumber: UInt64 = 0
  private var content: ArraySlice<UInt8> = []
  private var reader = ProtobufReader([])

  /// The empty message.
  init() {}

  init(_ start: ProtobufReader) throws(ProtobufError) {
    reader = start
    var message = start
    while let field = try message.next() {
      switch field.number {
      case 1: typeNumber = try message.integer(field)
      case 2: extents = try Self.extents(try message.message(field))
      case 4: content = try message.bytes(field)
      default: try message.skip(field)
      }
    }
  }

  private static func extents(_ shape: ProtobufReader) throws(ProtobufError) -> [Int] {
    var shape = shape
    var extents: [Int] = []
    while let field = try shape.next() {
      guard field.number == 2 else {
        try shape.skip(field)
        continue
      }
      guard extents.count < Shape.rankMaximum else {
        throw .tooManyElements(field: 2, limit: Shape.rankMaximum)
      }
      var dimension = try shape.message(field)
      var extent = 0
      while let field = try dimension.next() {
        if field.number == 1 {
          extent = Int(try dimension.int64(field))
        } else {
          try dimension.skip(field)
        }
      }
      extents.append(extent)
    }
    return extents
  }

  /// How often the tensor holds what one run reads.
  func rows(of input: TensorSpecification) throws(WarmUpError) -> Int {
    let expected = input.type.dataType
    guard typeNumber == Self.wireForm(expected).type else {
      throw .type(input.name, expected: expected, actual: typeNumber)
    }
    let wanted = input.type.shape.extents
    if extents == wanted { return 1 }
    guard extents.count == wanted.count, let leading = wanted.first, let all = extents.first,
      extents.dropFirst() == wanted.dropFirst(), leading > 0, all > 0, all % leading == 0
    else { throw .shape(input.name, extents) }
    return all / leading
  }

  /// The bytes of `rows` rows; of one, when one element stands for all.
  func elements(of input: TensorSpecification, rows: Int) throws(WarmUpError) -> [UInt8] {
    let type = input.type.dataType
    let rowBytes = input.type.byteCount ?? 0
    let (expected, overflow) = rowBytes.multipliedReportingOverflow(by: rows)
    var bytes = Array(content)
    if bytes.isEmpty {
      do throws(ProtobufError) {
        bytes = try values(type)
      } catch {
        throw .message(error)
      }
    }
    let width = max(1, type.bitWidth / 8)
    if !overflow, bytes.count == expected { return bytes }
    guard !overflow, bytes.count <= width else {
      throw .elementCount(
        input.name, expected: overflow ? .max : expected / width, actual: bytes.count / width)
    }
    let one = bytes.isEmpty ? [UInt8](repeating: 0, count: width) : bytes
    return (0..<rowBytes).map { one[$0 % width] }
  }

  private func values(_ type: DataType) throws(ProtobufError) -> [UInt8] {
    let (form, width) = (Self.wireForm(type), max(1, type.bitWidth / 8))
    var message = reader
    var bytes: [UInt8] = []
    while let field = try message.next() {
      guard field.number == form.values else {
        try message.skip(field)
        continue
      }
      switch type {
      case .float32, .complex64: bytes += try message.fixed32Elements(field)
      case .float64: bytes += try message.fixed64Elements(field)
      default:
        try message.integers(field) { (value) throws(ProtobufError) in
          for place in 0..<width {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place)))
          }
        }
      }
    }
    return bytes
  }

  /// The number of an element type, and of the field that lists its elements.
  ///
  /// Source: TensorFlow, `types.proto` and `tensor.proto`.
  private static func wireForm(_ type: DataType) -> (type: UInt64, values: Int) {
    switch type {
    case .float32: (1, 5)
    case .float64: (2, 6)
    case .int32: (3, 7)
    case .uint8: (4, 7)
    case .int16: (5, 7)
    case .int8: (6, 7)
    case .string: (7, 8)
    case .complex64: (8, 9)
    case .int64: (9, 10)
    case .bool: (10, 11)
    case .uint16: (17, 7)
    case .float16: (19, 13)
    case .uint32: (22, 16)
    case .uint64: (23, 17)
    case .int4: (29, 7)
    }
  }
}

/// Why a recorded request cannot be run.
enum WarmUpError: Error, Equatable {
  case truncated
  case checksum
  case tooMany
  case tooLarge(UInt64)
  case message(ProtobufError)
  case unknownInput(String)
  case missingInput(String)
  case type(String, expected: DataType, actual: UInt64)
  case shape(String, [Int])
  case elementCount(String, expected: Int, actual: Int)
  case rows(Int, limit: Int)
  /// The model does not come to its end with it; why, where it is known.
  case noResult(String?)

  /// A sentence without its full stop, in lower case, for the one around it.
  var sentence: String {
    switch self {
    case .truncated: "the file ends in the middle of it"
    case .checksum: "its checksum does not hold"
    case .tooMany: "there are more than \(WarmUpRequests.recordsMaximum)"
    case .tooLarge(let bytes):
      "it has \(bytes) bytes, more than \(WarmUpRequests.recordBytesMaximum)"
    case .message(let error): error.sentence
    case .unknownInput(let name): "the model has no input \"\(name)\""
    case .missingInput(let name): "the input \"\(name)\" is missing"
    case .type(let name, let expected, let actual):
      "the input \"\(name)\" is \(expected); TensorFlow's type \(actual) came"
    case .shape(let name, let extents): "the input \"\(name)\" cannot have the shape \(extents)"
    case .elementCount(let name, let expected, let actual):
      "the input \"\(name)\" has \(actual) elements where its shape holds \(expected)"
    case .rows(let rows, let limit): "it has \(rows) rows, more than \(limit)"
    case .noResult(let reason):
      "the model has no result for its inputs: " + (reason ?? "a loop was ended at its limit")
    }
  }
}
