package import Serving
internal import TensorJSON
internal import Tensors
package import Transport

/// The header that tells how long the JSON part of a body with binary tensors is.
let headerLengthField = "Inference-Header-Content-Length"

/// Writes the reply to an inference request.
///
/// - Parameter labels: The names of the classes; empty when the model has none.
/// - Throws: `RequestError.binaryOnly` for an output that only the binary form can carry.
package func inferReply(
  _ response: InferenceResponse, to request: InferRequest, model: String, labels: [String] = []
) throws -> HTTPResponse {
  let listed = response.outputs.reduce(0) { $0 + $1.bytes.count }
  var writer = JSONWriter(capacity: 256 + listed * 4)
  writer.raw("{\"model_name\":")
  writer.string(model)
  writer.raw(",\"model_version\":\"")
  writer.integer(response.version)
  writer.raw("\"")
  if let id = request.id {
    writer.raw(",\"id\":")
    writer.string(id)
  }
  var headers: [(String, String)] = []
  if let fallback = response.fallback { headers = [("X-Fallback", fallback)] }
  writer.parameters(response)
  writer.raw(",\"outputs\":[")
  var binary: [UInt8] = []
  var hasBinary = false
  for (index, output) in response.outputs.enumerated() {
    if index > 0 { writer.raw(",") }
    let isBinary = request.isBinary(output.name)
    if let count = request.classCount(output.name) {
      let classes = Classification(of: output, count: count, labels: labels)
      writer.classes(classes, of: output.name, isBinary: isBinary)
      if isBinary {
        hasBinary = true
        binary += classes.bytes
      }
      continue
    }
    try writer.output(output, isBinary: isBinary)
    if isBinary {
      hasBinary = true
      binary += output.bytes
    }
  }
  writer.raw("]}")
  guard hasBinary else { return .json(writer.bytes, headers: headers) }
  return HTTPResponse(
    status: 200,
    headers: [
      ("Content-Type", "application/octet-stream"), (headerLengthField, "\(writer.bytes.count)"),
    ] + headers,
    body: writer.bytes + binary)
}

extension JSONWriter {
  /// Who answered in place of the model, and which versions of others the answer was made with.
  fileprivate mutating func parameters(_ response: InferenceResponse) {
    var parameters: [(String, String)] = []
    if let fallback = response.fallback { parameters.append(("fallback", fallback)) }
    if !response.pinned.isEmpty {
      parameters.append(
        ("pinned_versions", response.pinned.map(\.text).joined(separator: ", ")))
    }
    guard !parameters.isEmpty else { return }
    raw(",\"parameters\":{")
    for (index, (name, value)) in parameters.enumerated() {
      if index > 0 { raw(",") }
      string(name)
      raw(":")
      string(value)
    }
    raw("}")
  }

  fileprivate mutating func output(_ tensor: NamedTensor, isBinary: Bool) throws {
    raw("{\"name\":")
    string(tensor.name)
    raw(",\"datatype\":")
    string(datatypeName(tensor.dataType) ?? "")
    raw(",\"shape\":")
    extents(tensor.shape)
    if isBinary {
      raw(",\"parameters\":{\"binary_data_size\":")
      integer(tensor.bytes.count)
      raw("}}")
      return
    }
    raw(",\"data\":")
    // A scalar is a list of one element.
    let flat = Shape([tensor.shape.elementCount ?? 0])
    do throws(JSONError) {
      try self.tensor(tensor.dataType, flat, tensor.bytes, layout: .flat)
    } catch {
      throw RequestError.binaryOnly(output: tensor.name, tensor.dataType)
    }
    raw("}")
  }

  mutating func extents(_ shape: Shape) {
    raw("[")
    for (axis, extent) in shape.extents.enumerated() {
      if axis > 0 { raw(",") }
      integer(extent)
    }
    raw("]")
  }
}
