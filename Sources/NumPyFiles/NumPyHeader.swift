import ByteParsing
import Tensors

/// The dictionary at the head of an array file: element type, order and shape.
struct NumPyHeader {
  let dataType: DataType
  let shape: Shape

  init(_ text: ByteView) throws(NumPyError) {
    guard text.count <= NumPyLimits.headerBytesMaximum else {
      throw .headerTooLong(byteCount: text.count, limit: NumPyLimits.headerBytesMaximum)
    }
    var scanner = LiteralScanner(text.array)
    var description: String?
    var isColumnOrder: Bool?
    var extents: [Int]?
    try scanner.expect("{")
    while !scanner.take("}") {
      let key = try scanner.string()
      try scanner.expect(":")
      switch key {
      case "descr" where description == nil: description = try scanner.string()
      case "fortran_order" where isColumnOrder == nil: isColumnOrder = try scanner.bool()
      case "shape" where extents == nil: extents = try scanner.tuple()
      default: throw scanner.malformed
      }
      if !scanner.take(",") {
        try scanner.expect("}")
        break
      }
    }
    try scanner.expectEnd()
    guard let description else { throw .missingKey("descr") }
    guard let isColumnOrder else { throw .missingKey("fortran_order") }
    guard let extents else { throw .missingKey("shape") }
    guard let type = DataType(numPyDescription: description) else {
      throw .elementType(description)
    }
    guard extents.count <= Shape.rankMaximum else { throw .shape(extents) }
    // One axis has one order.
    guard !isColumnOrder || extents.count < 2 else { throw .columnOrder }
    dataType = type
    shape = Shape(extents)
  }
}

extension DataType {
  /// NumPy's word for each element type that both have.
  fileprivate static let numPyDescriptions: [(DataType, String)] = [
    (.bool, "|b1"), (.int8, "|i1"), (.uint8, "|u1"), (.int16, "<i2"), (.uint16, "<u2"),
    (.int32, "<i4"), (.uint32, "<u4"), (.int64, "<i8"), (.uint64, "<u8"), (.float16, "<f2"),
    (.float32, "<f4"), (.float64, "<f8"), (.complex64, "<c8"),
  ]

  fileprivate init?(numPyDescription: String) {
    guard let match = Self.numPyDescriptions.first(where: { $0.1 == numPyDescription }) else {
      return nil
    }
    self = match.0
  }

  /// NumPy's word for this element type; nil where NumPy has none.
  var numPyDescription: String? {
    Self.numPyDescriptions.first { $0.0 == self }?.1
  }
}
