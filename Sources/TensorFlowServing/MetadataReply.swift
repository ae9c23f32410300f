internal import Serving
internal import TensorJSON
internal import Tensors
internal import Transport

/// Writes the signatures of a version.
func metadataReply(_ description: VersionDescription) -> HTTPResponse {
  var writer = JSONWriter(capacity: 1024)
  writer.raw("{\"model_spec\":{\"name\":")
  writer.string(description.model)
  writer.raw(",\"signature_name\":\"\",\"version\":")
  writer.string("\(description.version)")
  writer.raw("},\"metadata\":{\"signature_def\":{\"signature_def\":{")
  for (index, signature) in description.signatures.enumerated() {
    if index > 0 { writer.raw(",") }
    writer.string(signature.key)
    writer.raw(":{\"inputs\":")
    writer.tensors(signature.inputs)
    writer.raw(",\"outputs\":")
    writer.tensors(signature.outputs)
    writer.raw(",\"method_name\":\"tensorflow/serving/predict\",\"defaults\":{}}")
  }
  writer.raw("}}}}")
  return .json(writer.bytes)
}

extension JSONWriter {
  fileprivate mutating func tensors(_ specifications: [TensorSpecification]) {
    raw("{")
    for (index, specification) in specifications.enumerated() {
      if index > 0 { raw(",") }
      string(specification.name)
      raw(":{\"dtype\":")
      string(dataTypeName(specification.type.dataType))
      raw(",\"tensor_shape\":{\"dim\":[")
      for (axis, extent) in specification.signatureShape.extents.enumerated() {
        if axis > 0 { raw(",") }
        raw("{\"size\":\"")
        integer(extent)
        raw("\",\"name\":\"\"}")
      }
      raw("],\"unknown_rank\":false},\"name\":")
      string(specification.name)
      raw("}")
    }
    raw("}")
  }
}
