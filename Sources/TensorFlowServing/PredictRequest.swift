package import Serving
internal import TensorJSON
internal import Tensors

/// A predict request, read from the body of a POST.
package struct PredictRequest: Sendable {
  /// How the reply is to be laid out: as the request was.
  package enum Form: Sendable {
    /// One element of a list per row.
    case row
    /// One tensor per name.
    case column
  }

  package let form: Form
  package let inference: InferenceRequest

  /// Reads a body for the version that `description` describes; bytes behind the document are
  /// ignored.
  ///
  /// - Throws: `RequestError` or `JSONError`.
  package init(body: [UInt8], description: VersionDescription) throws {
    var reader = JSONReader(body)
    let kind = try reader.kind()
    guard kind == .object else { throw RequestError.notAnObject(kind) }
    var signatureName: String?
    var rows: Int?
    var columns: Int?
    try reader.openObject()
    while let key = try reader.nextKey() {
      switch key {
      case "signature_name":
        let kind = try reader.kind()
        guard kind == .string else { throw RequestError.signatureNameKind(kind) }
        signatureName = try reader.readString()
      case "instances": rows = try reader.postponeValue()
      case "inputs": columns = try reader.postponeValue()
      default: try reader.skipValue()
      }
    }
    let name = signatureName ?? ""
    guard let signature = description.signature(named: name) else {
      throw RequestError.signatureNotFound(
        name.isEmpty ? VersionDescription.defaultSignature : name)
    }
    switch (rows, columns) {
    case (nil, nil): throw RequestError.missingKey
    case (.some, .some): throw RequestError.bothKeys
    case (.some(let start), nil):
      form = .row
      inference = InferenceRequest(
        inputs: try readRows(reader.resumed(at: start), signature.inputs),
        outputNames: signature.outputs.map(\.name))
    case (nil, .some(let start)):
      form = .column
      inference = InferenceRequest(
        inputs: try readColumns(reader.resumed(at: start), signature.inputs),
        outputNames: signature.outputs.map(\.name))
    }
  }
}

extension VersionDescription {
  /// The signature called `name`; without a name the default, or the only one; nil when there is
  /// none.
  package func signature(named name: String) -> SignatureDescription? {
    let key = name.isEmpty ? Self.defaultSignature : name
    if let found = signatures.first(where: { $0.key == key }) { return found }
    return name.isEmpty && signatures.count == 1 ? signatures[0] : nil
  }
}

/// A decoder for one input, with room for the tensor that the model was planned for.
func makeDecoder(
  _ input: TensorSpecification, _ reader: JSONReader
) throws -> TensorDecoder {
  switch input.type.dataType {
  case .float16, .uint16, .int4, .complex64:
    throw RequestError.unsupportedType(input.type.dataType)
  default: break
  }
  let planned = input.type.shape.elementCount ?? 0
  return try TensorDecoder(
    input.type.dataType, expectedCount: min(planned, reader.remainingCount / 2 + 1),
    countMaximum: reader.remainingCount)
}

extension JSONReader {
  /// Whether the value that comes next is an object that names inputs, not `{"b64": …}`.
  mutating func namesInputs(_ inputs: [TensorSpecification]) throws -> Bool {
    guard try kind() == .object else { return false }
    guard let only = inputs.first, inputs.count == 1, only.name != "b64" else { return true }
    var copy = self
    try copy.openObject()
    guard try copy.nextKey() == "b64" else { return true }
    if only.type.dataType == .string { return false }
    throw RequestError.encodedBytes(only.type.dataType)
  }
}
