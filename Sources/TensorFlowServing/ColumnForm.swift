internal import Serving
internal import TensorJSON
internal import Tensors

/// Reads the value of `inputs`: the only input's tensor, or an object of tensors by name.
///
/// Names that the model lacks are passed over.
/// - Throws: `RequestError` or `JSONError`.
func readColumns(_ start: JSONReader, _ inputs: [TensorSpecification]) throws -> [NamedTensor] {
  var reader = start
  guard try reader.namesInputs(inputs) else {
    guard inputs.count == 1 else { throw RequestError.plainInputs }
    return [try readColumn(&reader, inputs[0])]
  }
  var tensors = [NamedTensor?](repeating: nil, count: inputs.count)
  try reader.openObject()
  while let key = try reader.nextKey() {
    if let index = inputs.firstIndex(where: { $0.name == key }), tensors[index] == nil {
      tensors[index] = try readColumn(&reader, inputs[index])
    } else {
      try reader.skipValue()
    }
  }
  for (input, tensor) in zip(inputs, tensors) where tensor == nil {
    throw RequestError.missingInput(input.name)
  }
  return tensors.compactMap { $0 }
}

private func readColumn(
  _ reader: inout JSONReader, _ input: TensorSpecification
) throws -> NamedTensor {
  var decoder = try makeDecoder(input, reader)
  try decoder.append(from: &reader)
  let (shape, bytes) = decoder.finish()
  return NamedTensor(name: input.name, dataType: input.type.dataType, shape: shape, bytes: bytes)
}
