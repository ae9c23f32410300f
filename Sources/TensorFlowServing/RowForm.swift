internal import Serving
internal import TensorJSON
internal import Tensors

/// Reads the value of `instances`: a list with one element per row.
///
/// - Throws: `RequestError` or `JSONError`.
func readRows(_ start: JSONReader, _ inputs: [TensorSpecification]) throws -> [NamedTensor] {
  var reader = start
  let kind = try reader.kind()
  guard kind == .array else { throw RequestError.instancesKind(kind) }
  try reader.openArray()
  guard try reader.nextElement() else { throw RequestError.noInstances }
  let isNamed = try reader.namesInputs(inputs)
  guard isNamed || inputs.count == 1 else { throw RequestError.plainInstances }
  return isNamed
    ? try readNamedRows(&reader, inputs) : [try readPlainRows(start, inputs[0])]
}

/// All rows of the only input are one nested list.
private func readPlainRows(
  _ start: JSONReader, _ input: TensorSpecification
) throws -> NamedTensor {
  var reader = start
  var decoder = try makeDecoder(input, reader)
  do throws(JSONError) {
    try decoder.append(from: &reader)
  } catch {
    guard case .wrongElement(_, actual: .object, _) = error else { throw error }
    throw RequestError.mixedInstances(row: decoder.outerIndex, expectsObject: false)
  }
  let (shape, bytes) = decoder.finish()
  return NamedTensor(name: input.name, dataType: input.type.dataType, shape: shape, bytes: bytes)
}

/// - Parameter reader: Stands at the first element.
private func readNamedRows(
  _ reader: inout JSONReader, _ inputs: [TensorSpecification]
) throws -> [NamedTensor] {
  var decoders = try inputs.map { try makeDecoder($0, reader) }
  var row = 0
  repeat {
    guard try reader.kind() == .object else {
      throw RequestError.mixedInstances(row: row, expectsObject: true)
    }
    try reader.openObject()
    while let key = try reader.nextKey() {
      guard let index = inputs.firstIndex(where: { $0.name == key }) else {
        throw RequestError.unknownInstanceKey(row: row, key: key)
      }
      // A key that comes twice would give this row two values.
      guard decoders[index].rowCount == row else { throw keysError(row, inputs) }
      try decoders[index].append(from: &reader)
    }
    row += 1
    guard decoders.allSatisfy({ $0.rowCount == row }) else { throw keysError(row - 1, inputs) }
  } while try reader.nextElement()
  return zip(inputs, decoders).map { input, decoder in
    let (shape, bytes) = decoder.finish()
    return NamedTensor(
      name: input.name, dataType: input.type.dataType, shape: Shape([row] + shape.extents),
      bytes: bytes)
  }
}

private func keysError(_ row: Int, _ inputs: [TensorSpecification]) -> RequestError {
  .instanceKeys(row: row, expected: inputs.map(\.name).sorted())
}
