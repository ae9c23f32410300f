import ByteParsing
import GRPC
import OpenInference
import Serving
import Tensors

/// Writes a `ModelInferResponse`, its tensors in the form of the request's.
///
/// - Throws: `RequestError.binaryOnly` for an output that only raw bytes can carry.
func inferReply(
  _ response: InferenceResponse, to request: InferCall, _ description: VersionDescription
) throws(RequestError) -> GRPCReply {
  let bytes = response.outputs.reduce(0) { $0 + $1.bytes.count }
  var writer = replyWriter(capacity: 256 + bytes)
  writer.text(1, request.model)
  writer.text(2, "\(response.version)")
  writer.text(3, request.id)
  if let fallback = response.fallback {
    writer.entry(4, "fallback") { $0.text(3, fallback) }
  }
  if !response.pinned.isEmpty {
    writer.entry(4, "pinned_versions") {
      $0.text(3, response.pinned.map(\.text).joined(separator: ", "))
    }
  }
  var raw: [[UInt8]] = []
  for output in response.outputs {
    if let count = request.outputs.first(where: { $0.name == output.name })?.classCount {
      let classes = Classification(of: output, count: count, labels: description.labels)
      writer.head(output.name, "BYTES", classes.shape) { tensor in
        guard !request.isRaw else { return }
        tensor.message(5) { contents in
          for entry in classes.entries { contents.element(8, entry) }
        }
      }
      raw.append(classes.bytes)
      continue
    }
    guard request.isRaw || contentsField(of: output.dataType) != nil else {
      throw .binaryOnly(output: output.name, output.dataType)
    }
    writer.head(output.name, datatypeName(output.dataType) ?? "", output.shape) { tensor in
      if !request.isRaw { tensor.message(5) { $0.contents(output) } }
    }
    raw.append(output.bytes)
  }
  if request.isRaw { for bytes in raw { writer.bytes(6, bytes) } }
  return .message(writer.bytes)
}

extension ProtobufWriter {
  /// One `InferOutputTensor`.
  fileprivate mutating func head(
    _ name: String, _ datatype: String, _ shape: Shape, _ rest: (inout ProtobufWriter) -> Void
  ) {
    message(5) { tensor in
      tensor.text(1, name)
      tensor.text(2, datatype)
      tensor.extents(3, shape)
      rest(&tensor)
    }
  }

  /// Extents, those that are free as −1.
  mutating func extents(_ field: Int, _ shape: Shape) {
    packed(field, shape.extents.lazy.map { UInt64(bitPattern: Int64($0)) })
  }

  fileprivate mutating func contents(_ tensor: NamedTensor) {
    guard let field = contentsField(of: tensor.dataType) else { return }
    switch tensor.dataType {
    case .string:
      let ranges = StringElements.ranges(tensor.bytes[...], count: tensor.shape.elementCount ?? 0)
      for range in ranges ?? [] { bytes(field, tensor.bytes[range]) }
    case .float32, .float64: if !tensor.bytes.isEmpty { bytes(field, tensor.bytes) }
    default: packed(field, WireIntegers(tensor.bytes, tensor.dataType))
    }
  }
}
