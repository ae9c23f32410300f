import ByteParsing
import GRPC
import Serving
import TensorFlowServing
import Tensors

/// A `PredictRequest`: its names are read at once, its tensors when the version is known.
struct PredictCall {
  /// Inputs and outputs of one request.
  static let tensorsMaximum = 1024

  private(set) var spec = ModelSpec()
  /// What groups requests; nil when the client says nothing.
  private(set) var clientID: String?
  private var inputs: [(name: String, tensor: ProtobufReader)] = []
  private var outputFilter: [String] = []

  /// - Throws: `ProtobufError` or `TensorFlowRefusal`.
  init(_ message: [UInt8]) throws {
    var reader = ProtobufReader(message)
    var hasSpec = false
    while let field = try reader.next() {
      switch field.number {
      case 1:
        spec = try ModelSpec(try reader.message(field))
        hasSpec = true
      case 2:
        let (name, tensor) = try readEntry(try reader.message(field))
        // Of two entries with one key the last counts, as in every map of the format.
        inputs.removeAll { $0.name == name }
        inputs.append((name, tensor ?? ProtobufReader([])))
      case 3: outputFilter.append(try reader.text(field))
      case 6: clientID = String(decoding: try reader.bytes(field), as: UTF8.self)
      default: try reader.skip(field)
      }
      guard max(inputs.count, outputFilter.count) <= Self.tensorsMaximum else {
        throw ProtobufError.tooManyElements(field: field.number, limit: Self.tensorsMaximum)
      }
    }
    guard hasSpec else { throw TensorFlowRefusal.missingSpec }
  }

  /// The request for the service, and the signature that it goes by.
  func inference(
    _ description: VersionDescription, _ call: GRPCCall, _ terms: RequestTerms,
    batchMaximum: Int
  ) throws -> (InferenceRequest, SignatureDescription) {
    guard let signature = description.signature(named: spec.signature) else {
      throw TensorFlowRefusal.signatureNotFound(
        spec.signature.isEmpty ? VersionDescription.defaultSignature : spec.signature)
    }
    let given = inputs.map(\.name)
    let expected = signature.inputs.map(\.name)
    guard Set(given) == Set(expected) else {
      throw TensorFlowRefusal.inputSet(given: given, expected: expected)
    }
    let outputs = signature.outputs.map(\.name)
    if let unknown = outputFilter.first(where: { !outputs.contains($0) }) {
      throw TensorFlowRefusal.outputNotFound(unknown, known: outputs)
    }
    var tensors: [NamedTensor] = []
    for specification in signature.inputs {
      guard let input = inputs.first(where: { $0.name == specification.name }) else { continue }
      tensors.append(
        try TensorProto(input.tensor).tensor(
          for: specification, call.memory, batchMaximum: batchMaximum))
    }
    let request = InferenceRequest(
      inputs: tensors, outputNames: outputFilter.isEmpty ? outputs : outputFilter, terms: terms)
    return (request, signature)
  }
}

/// Writes a `PredictResponse`.
func predictReply(
  _ response: InferenceResponse, _ description: VersionDescription, signature: String
) -> GRPCReply {
  var writer = replyWriter(capacity: 256 + response.outputs.reduce(0) { $0 + $1.bytes.count })
  for output in response.outputs { writer.entry(1, output.name) { $0.tensorProto(output) } }
  var description = description
  description.version = response.version
  writer.modelSpec(2, description, signature: signature, fallback: response.fallback)
  return .message(writer.bytes)
}
