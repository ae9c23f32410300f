import ByteParsing
import GRPC
import OpenInference
import Serving

/// Why a call of the Open Inference Protocol failed; every kind of error is named here.
func openInferenceStatus(_ error: any Error, model: String) -> GRPCStatus {
  switch error {
  case let error as GRPCStatus: error
  case let error as ServingError:
    GRPCStatus(
      openInferenceCode(error), OpenInference.sentence(error, model: model),
      retryMilliseconds: error.retryMilliseconds)
  case let error as RequestError:
    GRPCStatus(.invalidArgument, OpenInference.sentence(error))
  case let error as ProtobufError: GRPCStatus(.invalidArgument, error.sentence)
  default: GRPCStatus(.internal, "Internal error.")
  }
}

private func openInferenceCode(_ error: ServingError) -> GRPCCode {
  switch error {
  case .modelNotFound, .versionNotFound: .notFound
  // The protocol's versions are numbers, or labels that exist.
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
