package import Tensors

/// TensorFlow's name of an element type, as metadata show it.
package func dataTypeName(_ type: DataType) -> String {
  switch type {
  case .bool: "DT_BOOL"
  case .int8: "DT_INT8"
  case .uint8: "DT_UINT8"
  case .int16: "DT_INT16"
  case .uint16: "DT_UINT16"
  case .int32: "DT_INT32"
  case .uint32: "DT_UINT32"
  case .int64: "DT_INT64"
  case .uint64: "DT_UINT64"
  case .float16: "DT_HALF"
  case .float32: "DT_FLOAT"
  case .float64: "DT_DOUBLE"
  case .int4: "DT_INT4"
  case .complex64: "DT_COMPLEX64"
  case .string: "DT_STRING"
  }
}

/// TensorFlow's name of an element type, as messages show it.
func dataTypeWord(_ type: DataType) -> String {
  switch type {
  case .float16: "half"
  case .float32: "float"
  case .float64: "double"
  default: String(dataTypeName(type).dropFirst(3)).lowercased()
  }
}
