package import Serving
internal import TensorJSON
internal import Tensors
package import Transport

/// Writes the reply to a predict request, in the form of the request.
///
/// - Throws: `RequestError` for outputs that the form or JSON cannot hold.
package func predictReply(
  _ response: InferenceResponse, form: PredictRequest.Form
) throws(RequestError) -> HTTPResponse {
  let bytes = response.outputs.reduce(0) { $0 + $1.bytes.count }
  var writer = JSONWriter(capacity: 64 + bytes * 4)
  switch form {
  case .column:
    writer.raw("{\"outputs\":")
    try writer.columns(response.outputs)
  case .row:
    writer.raw("{\"predictions\":")
    try writer.rows(response.outputs)
  }
  writer.raw("}")
  return .json(writer.bytes, headers: versionFields(response))
}

/// The version that answered, and those of other models that it was made with.
func versionFields(_ response: InferenceResponse) -> [(String, String)] {
  let version = [("X-Model-Version", "\(response.version)")]
  guard !response.pinned.isEmpty else { return version }
  return version
    + [("X-Pinned-Versions", response.pinned.map(\.text).joined(separator: ", "))]
}

extension NamedTensor {
  /// Where the bytes of each index of the first axis lie.
  fileprivate var rowBytes: [Range<Int>] {
    let rows = shape.extents.first ?? 0
    guard rows > 0 else { return [] }
    guard dataType == .string else {
      let stride = bytes.count / rows
      return (0..<rows).map { $0 * stride..<($0 + 1) * stride }
    }
    let count = shape.elementCount ?? 0
    let ends = StringElements.ranges(bytes[...], count: count)?.map(\.upperBound) ?? []
    let stride = count / rows
    guard ends.count == count, stride > 0 else {
      return [Range<Int>](repeating: 0..<0, count: rows)
    }
    return (0..<rows).map { row in
      (row == 0 ? 0 : ends[row * stride - 1])..<ends[(row + 1) * stride - 1]
    }
  }
}

extension JSONWriter {
  fileprivate mutating func columns(_ outputs: [NamedTensor]) throws(RequestError) {
    guard outputs.count > 1 else {
      for output in outputs { try value(output, output.shape.extents[...], output.bytes[...]) }
      return
    }
    raw("{")
    for (index, output) in outputs.enumerated() {
      if index > 0 { raw(",") }
      string(output.name)
      raw(":")
      try value(output, output.shape.extents[...], output.bytes[...])
    }
    raw("}")
  }

  fileprivate mutating func rows(_ outputs: [NamedTensor]) throws(RequestError) {
    let count = outputs.first?.shape.extents.first ?? 0
    for output in outputs {
      guard let rows = output.shape.extents.first else { throw .scalarOutput(output.name) }
      guard rows == count else {
        throw .outputRows(output.name, expected: count, actual: rows)
      }
    }
    if outputs.count == 1 {
      try value(outputs[0], outputs[0].shape.extents[...], outputs[0].bytes[...])
      return
    }
    let parts = outputs.map { $0.rowBytes }
    raw("[")
    for row in 0..<count {
      if row > 0 { raw(",") }
      raw("{")
      for (index, output) in outputs.enumerated() {
        if index > 0 { raw(",") }
        string(output.name)
        raw(":")
        try value(output, output.shape.extents.dropFirst(), output.bytes[parts[index][row]])
      }
      raw("}")
    }
    raw("]")
  }

  private mutating func value(
    _ output: NamedTensor, _ extents: ArraySlice<Int>, _ bytes: ArraySlice<UInt8>
  ) throws(RequestError) {
    do throws(JSONError) {
      try tensor(output.dataType, extents, bytes, layout: .nested)
    } catch {
      throw .unsupportedType(output.dataType)
    }
  }
}
