internal import Serving
internal import TensorJSON
internal import Tensors
internal import Transport

/// What the server says about itself.
///
/// - Parameter offersRegions: whether memory can be handed over by descriptor.
func serverMetadata(version: String, offersRegions: Bool) -> HTTPResponse {
  var writer = JSONWriter()
  writer.raw("{\"name\":\"edgeserve\",\"version\":")
  writer.string(version)
  writer.raw(",\"extensions\":[\"binary_tensor_data\",\"classification\",\"model_configuration\",")
  writer.raw("\"schedule_policy\",\"statistics\"")
  if offersRegions { writer.raw(",\"descriptor_shared_memory\"") }
  writer.raw("]}")
  return .json(writer.bytes)
}

/// Memory that a client handed over, in the form of the extension `system_shared_memory`.
func regionList(_ regions: [TensorRegions.Region]) -> HTTPResponse {
  var writer = JSONWriter()
  writer.raw("[")
  for (index, region) in regions.enumerated() {
    writer.raw(index > 0 ? ",{\"name\":" : "{\"name\":")
    writer.string(region.name)
    writer.raw(",\"key\":\"\",\"offset\":0,\"byte_size\":")
    writer.integer(region.memory.byteCount)
    writer.raw("}")
  }
  writer.raw("]")
  return .json(writer.bytes)
}

/// What one version says about itself.
///
/// - Parameter versions: Every version of the model that serves.
func modelMetadata(_ description: VersionDescription, versions: [Int64]) -> HTTPResponse {
  var writer = JSONWriter(capacity: 512)
  writer.raw("{\"name\":")
  writer.string(description.model)
  writer.raw(",\"versions\":[")
  for (index, version) in versions.enumerated() {
    if index > 0 { writer.raw(",") }
    writer.string("\(version)")
  }
  writer.raw("],\"platform\":")
  writer.string(description.platform)
  writer.raw(",\"inputs\":")
  writer.specifications(description.inputs)
  writer.raw(",\"outputs\":")
  writer.specifications(description.outputs)
  // Beyond the protocol: the names of the classes, for people.
  if !description.labels.isEmpty {
    writer.raw(",\"labels\":[")
    for (index, label) in description.labels.enumerated() {
      if index > 0 { writer.raw(",") }
      writer.string(label)
    }
    writer.raw("]")
  }
  writer.raw("}")
  return .json(writer.bytes)
}

/// Whether a model answers inferences.
func modelReadiness(_ model: String, isReady: Bool) -> HTTPResponse {
  var writer = JSONWriter()
  writer.raw("{\"name\":")
  writer.string(model)
  writer.raw(",\"ready\":")
  writer.bool(isReady)
  writer.raw("}")
  return .json(writer.bytes, status: isReady ? 200 : 503)
}

/// The reply of a server that runs, as the protocol prints it.
func liveness() -> HTTPResponse { .json(Array("{\"live\":true}".utf8)) }

/// Whether every declared model serves; what the protocol prints, and the fact itself.
func serverReadiness(isReady: Bool) -> HTTPResponse {
  var writer = JSONWriter()
  writer.raw("{\"live\":true,\"ready\":")
  writer.bool(isReady)
  writer.raw("}")
  return .json(writer.bytes, status: isReady ? 200 : 503)
}

extension JSONWriter {
  fileprivate mutating func specifications(_ specifications: [TensorSpecification]) {
    raw("[")
    for (index, specification) in specifications.enumerated() {
      if index > 0 { raw(",") }
      raw("{\"name\":")
      string(specification.name)
      raw(",\"datatype\":")
      string(datatypeName(specification.type.dataType) ?? "")
      raw(",\"shape\":")
      extents(specification.signatureShape)
      raw("}")
    }
    raw("]")
  }
}
