import ByteParsing
import GRPC
import Serving
import TensorFlowServing
import Tensors

/// Why the request of a TensorFlow Serving call is not one of its kind.
enum TensorFlowRefusal: Error, Equatable {
  case missingSpec
  case signatureNotFound(String)
  /// The inputs of the request are not those of the signature.
  case inputSet(given: [String], expected: [String])
  case outputNotFound(String, known: [String])
  case unknownType(UInt64, input: String)
  case valueRange(Int64, input: String, DataType)
  case tooManyValues(input: String, expected: Int, actual: Int)
  case metadataField(String)
  case noMetadataField
  /// The call needs a signature that the model does not have.
  case wrongCall(String)
  case noExamples
  case missingFeature(String, row: Int)
  case featureSize(String, expected: Int, actual: Int)
  case noTasks
  /// Two tasks of one request name two models, or two versions.
  case tasksDiffer(String, String)

  var status: GRPCStatus {
    switch self {
    case .missingSpec: GRPCStatus(.invalidArgument, "Missing ModelSpec")
    case .signatureNotFound(let key):
      GRPCStatus(.failedPrecondition, "Serving signature key \"\(key)\" not found.")
    case .inputSet(let given, let expected):
      GRPCStatus(.invalidArgument, Self.sentence(given.sorted(), expected.sorted()))
    case .outputNotFound(let name, let known):
      GRPCStatus(
        .invalidArgument,
        "output tensor alias not found in signature: \(name) Outputs expected to be in the set {"
          + known.sorted().joined(separator: ",") + "}.")
    case .unknownType(let number, let input):
      GRPCStatus(
        .invalidArgument, "Input \(input) has the element type \(number), which no model takes")
    case .valueRange(let value, let input, let type):
      GRPCStatus(
        .invalidArgument,
        "Input \(input) has the value \(value), which is out of the range of \(dataTypeName(type))")
    case .tooManyValues(let input, let expected, let actual):
      GRPCStatus(
        .invalidArgument, "Input \(input) has \(actual) values, but its shape holds \(expected)")
    case .metadataField(let name):
      GRPCStatus(.invalidArgument, "Metadata field \(name.prefix(100)) is not supported")
    case .noMetadataField:
      GRPCStatus(
        .invalidArgument, "GetModelMetadataRequest must specify at least one metadata_field")
    case .wrongCall(let call):
      GRPCStatus(
        .invalidArgument,
        "Expected \(call) signature method_name to be tensorflow/serving/\(call). "
          + "Was: tensorflow/serving/predict")
    case .noExamples: GRPCStatus(.invalidArgument, "Input is empty.")
    case .missingFeature(let name, let row):
      GRPCStatus(.invalidArgument, "Example \(row) lacks the feature: \(name)")
    case .featureSize(let name, let expected, let actual):
      GRPCStatus(
        .invalidArgument, "Feature \(name): Expecting \(expected) values but got: \(actual)")
    case .noTasks: GRPCStatus(.invalidArgument, "Inference request must have tasks.")
    case .tasksDiffer(let one, let other):
      GRPCStatus(
        .invalidArgument,
        "All tasks must name one model and version; these name '\(one.prefix(100))' and "
          + "'\(other.prefix(100))'.")
    }
  }

  private static func sentence(_ given: [String], _ expected: [String]) -> String {
    let list = { (names: [String]) in "{" + names.joined(separator: ",") + "}" }
    return "input size does not match signature: \(given.count)!=\(expected.count) "
      + "len(\(list(given))) != len(\(list(expected))). Sent extra: \(list(given.filter { !expected.contains($0) })). "
      + "Missing but required: \(list(expected.filter { !given.contains($0) }))."
  }
}

/// Why a call of TensorFlow Serving failed; every kind of error is named here.
func tensorFlowStatus(_ error: any Error, _ spec: ModelSpec) -> GRPCStatus {
  switch error {
  case let error as GRPCStatus: error
  case let error as TensorFlowRefusal: error.status
  case let error as ServingError:
    GRPCStatus(
      tensorFlowCode(error), TensorFlowServing.sentence(error, model: spec.model, spec.selector),
      retryMilliseconds: error.retryMilliseconds)
  case let error as ProtobufError: GRPCStatus(.invalidArgument, error.sentence)
  default: GRPCStatus(.internal, "Internal error.")
  }
}

private func tensorFlowCode(_ error: ServingError) -> GRPCCode {
  switch error {
  case .modelNotFound, .versionNotFound: .notFound
  case .labelNotFound, .missingInput, .unknownInput, .duplicateInput, .unknownOutput,
    .wrongDataType, .wrongShape, .wrongByteCount, .batchMismatch, .batchTooLarge, .invalidTerm,
    .elementNotAdmitted, .elementRefused, .valuesRefused, .inputUnreadable:
    .invalidArgument
  case .notReady, .queueFull, .shuttingDown: .unavailable
  case .misfit: .failedPrecondition
  case .overMemory: .resourceExhausted
  case .deadlineExceeded: .deadlineExceeded
  case .cancelled: .cancelled
  }
}
