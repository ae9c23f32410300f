internal import Serving
internal import TensorJSON
internal import Tensors
internal import Transport

/// What a version is set to, in the form of the extension `model_configuration`.
///
/// - Parameters:
///   - batchMaximum: Rows of one request.
///   - policy: Which versions of the model are to serve.
func modelConfiguration(
  _ description: VersionDescription, batchMaximum: Int, policy: VersionPolicy
) -> HTTPResponse {
  var writer = JSONWriter(capacity: 512)
  writer.raw("{\"name\":")
  writer.string(description.model)
  writer.raw(",\"platform\":")
  writer.string(description.platform)
  writer.raw(",\"max_batch_size\":0,\"input\":")
  writer.configuration(description.inputs)
  writer.raw(",\"output\":")
  writer.configuration(description.outputs)
  writer.raw(",\"version_policy\":")
  writer.policy(policy)
  // Tensors carry their batch extent themselves, which the protocol says with a size of 0.
  writer.raw(",\"parameters\":{\"rows_maximum\":{\"string_value\":\"")
  writer.integer(batchMaximum)
  writer.raw("\"}}}")
  return .json(writer.bytes)
}

extension JSONWriter {
  fileprivate mutating func policy(_ policy: VersionPolicy) {
    switch policy {
    case .latest(let count):
      raw("{\"latest\":{\"num_versions\":")
      integer(count)
      raw("}}")
    case .all: raw("{\"all\":{}}")
    case .specific(let versions):
      raw("{\"specific\":{\"versions\":[")
      for (index, version) in versions.enumerated() {
        if index > 0 { raw(",") }
        integer(version)
      }
      raw("]}}")
    }
  }

  fileprivate mutating func configuration(_ specifications: [TensorSpecification]) {
    raw("[")
    for (index, specification) in specifications.enumerated() {
      if index > 0 { raw(",") }
      raw("{\"name\":")
      string(specification.name)
      raw(",\"data_type\":")
      let name = datatypeName(specification.type.dataType) ?? ""
      string("TYPE_" + (name == "BYTES" ? "STRING" : name))
      raw(",\"dims\":")
      extents(specification.signatureShape)
      raw("}")
    }
    raw("]")
  }
}
