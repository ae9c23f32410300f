/// What a graph edge carries: element type, shape and quantisation.
package struct TensorType: Sendable, Equatable {
  package var dataType: DataType
  package var shape: Shape
  package var quantization: Quantization?

  package init(_ dataType: DataType, _ shape: Shape, quantization: Quantization? = nil) {
    self.dataType = dataType
    self.shape = shape
    self.quantization = quantization
  }

  /// Bytes of the packed elements; nil when the shape is not concrete or too large.
  package var byteCount: Int? { shape.elementCount.flatMap { dataType.byteCount(of: $0) } }

  /// What `byteCount` would be if every extent of 0 were 1: a bound for whoever goes through the
  /// lists that a tensor without elements is written as.
  package var spannedByteCount: Int? {
    TensorType(dataType, Shape(shape.extents.map { $0 == 0 ? 1 : $0 })).byteCount
  }
}

/// A tensor that a model's users name: an input or an output.
package struct TensorSpecification: Sendable, Equatable {
  package var name: String
  /// The type with the concrete shape that the program is planned for.
  package var type: TensorType
  /// The shape that the model declares, −1 where an extent is free.
  package var signatureShape: Shape

  package init(name: String, type: TensorType, signatureShape: Shape) {
    self.name = name
    self.type = type
    self.signatureShape = signatureShape
  }
}
