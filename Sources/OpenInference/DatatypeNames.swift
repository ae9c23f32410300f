package import Tensors

/// The protocol's name of an element type; nil where it has none.
package func datatypeName(_ type: DataType) -> String? {
  switch type {
  case .bool: "BOOL"
  case .int8: "INT8"
  case .uint8: "UINT8"
  case .int16: "INT16"
  case .uint16: "UINT16"
  case .int32: "INT32"
  case .uint32: "UINT32"
  case .int64: "INT64"
  case .uint64: "UINT64"
  case .float16: "FP16"
  case .float32: "FP32"
  case .float64: "FP64"
  case .string: "BYTES"
  case .int4, .complex64: nil
  }
}

/// The element type that a name of the protocol stands for; nil for any other text.
package func dataType(named name: String) -> DataType? {
  DataType.allCases.first { datatypeName($0) == name }
}
