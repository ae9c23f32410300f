package import Serving
internal import TensorJSON
internal import Tensors

/// A classify or regress request, read from the body of a POST: each example an object of features,
/// which are the model's inputs by name.
package struct ExampleRequest: Sendable {
  package let inference: InferenceRequest

  /// Reads a body for the version that `description` describes.
  ///
  /// Features that the model lacks are passed over; those that an example lacks are taken from the
  /// context.
  /// - Throws: `RequestError` or `JSONError`.
  package init(body: [UInt8], call: Endpoint.Call, description: VersionDescription) throws {
    var reader = JSONReader(body)
    let kind = try reader.kind()
    guard kind == .object else { throw RequestError.notAnObject(kind) }
    var name = ""
    var examples: Int?
    var context: Int?
    try reader.openObject()
    while let key = try reader.nextKey() {
      switch key {
      case "signature_name":
        let kind = try reader.kind()
        guard kind == .string else { throw RequestError.signatureNameKind(kind) }
        name = try reader.readString()
      case "examples": examples = try reader.postponeValue()
      case "context": context = try reader.postponeValue()
      default: try reader.skipValue()
      }
    }
    guard let signature = description.signature(named: name) else {
      throw RequestError.signatureNotFound(
        name.isEmpty ? VersionDescription.defaultSignature : name)
    }
    guard let output = signature.exampleOutput(for: call) else {
      throw RequestError.wrongCall(call.rawValue)
    }
    guard let examples else { throw RequestError.missingExamples }
    let shared = try context.map { try Self.features(reader.resumed(at: $0), signature.inputs) }
    inference = InferenceRequest(
      inputs: try Self.tensors(
        reader.resumed(at: examples), signature.inputs, shared ?? [:]),
      outputNames: signature.exampleOutputNames(with: output))
  }

  /// Where the values of the context's features begin, by name.
  private static func features(
    _ start: JSONReader, _ inputs: [TensorSpecification]
  ) throws -> [String: JSONReader] {
    var reader = start
    let kind = try reader.kind()
    guard kind == .object else { throw RequestError.contextKind(kind) }
    var features: [String: JSONReader] = [:]
    try reader.openObject()
    while let key = try reader.nextKey() {
      let value = try reader.postponeValue()
      if inputs.contains(where: { $0.name == key }) { features[key] = reader.resumed(at: value) }
    }
    return features
  }

  private static func tensors(
    _ start: JSONReader, _ inputs: [TensorSpecification], _ context: [String: JSONReader]
  ) throws -> [NamedTensor] {
    var reader = start
    let kind = try reader.kind()
    guard kind == .array else { throw RequestError.examplesKind(kind) }
    try reader.openArray()
    var values = [[UInt8]](repeating: [], count: inputs.count)
    var rows = 0
    while try reader.nextElement() {
      let kind = try reader.kind()
      guard kind == .object else { throw RequestError.exampleKind(kind, row: rows) }
      var isFound = [Bool](repeating: false, count: inputs.count)
      try reader.openObject()
      while let key = try reader.nextKey() {
        guard let index = inputs.firstIndex(where: { $0.name == key }) else {
          try reader.skipValue()
          continue
        }
        guard !isFound[index] else { throw RequestError.duplicateFeature(key, row: rows) }
        isFound[index] = true
        values[index] += try feature(&reader, inputs[index])
      }
      for (index, input) in inputs.enumerated() where !isFound[index] {
        guard var shared = context[input.name] else {
          throw RequestError.missingFeature(input.name, row: rows)
        }
        values[index] += try feature(&shared, input)
        // Every example that a context fills takes its room anew; the body alone was paid for.
        let taken = values.reduce(0) { $0 + $1.count }
        guard taken <= max(start.remainingCount * 2, 4096) else {
          throw RequestError.contextTooLarge(limit: start.remainingCount * 2)
        }
      }
      rows += 1
    }
    guard rows > 0 else { throw RequestError.noExamples }
    return zip(inputs, values).map { input, bytes in
      NamedTensor(
        name: input.name, dataType: input.type.dataType,
        shape: input.type.shape.repeated(rows: rows), bytes: bytes)
    }
  }

  /// The values of one feature: a bare one or a list, whatever the shape of the input that they
  /// fill.
  private static func feature(
    _ reader: inout JSONReader, _ input: TensorSpecification
  ) throws -> [UInt8] {
    var decoder = try makeDecoder(input, reader)
    try decoder.append(from: &reader)
    let (shape, bytes) = decoder.finish()
    let expected = input.type.shape.elementCount ?? 0
    guard shape.elementCount == expected else {
      throw RequestError.featureSize(
        input.name, expected: expected, actual: shape.elementCount ?? 0)
    }
    return bytes
  }
}
