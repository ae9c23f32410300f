package import Serving

/// Why what somebody asked for by hand was not done.
package enum RepositoryRefusal: Error, Equatable {
  /// No local model has this name; delivered ones come and go with their releases.
  case notLocal(model: String)
  case nothingFound(model: String, path: String)
  case versionNotFound(model: String, version: Int64, path: String)
  /// No version lies below the one that serves.
  case nothingBelow(model: String, version: Int64)
  /// A label is to point at a version that is not to serve.
  case labelTarget(model: String, label: String, version: Int64)
  /// A load of the model is under way.
  case busy(model: String)
  /// Another set of models is being put into force.
  case replacing
  /// Done, but not to be found again after a restart: the file at `path` cannot be written.
  case pinsNotKept(path: String, errno: Int32)
  /// What was asked for is no configuration of this agent; in its words.
  case invalid(AgentError)
  case failed(model: String, version: Int64, cause: LoadFailure)
  case refused(ServingError)

  package var status: Int {
    switch self {
    case .notLocal, .nothingFound, .versionNotFound, .nothingBelow: 404
    case .busy, .replacing: 409
    case .failed, .labelTarget, .invalid: 400
    case .pinsNotKept: 500
    case .refused(let error):
      switch error {
      case .modelNotFound, .versionNotFound, .labelNotFound: 404
      default: 400
      }
    }
  }

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .notLocal(let model): "no local model is called '\(model)'"
    case .nothingFound(let model, let path):
      "failed to load '\(model)': no version was found at \(path)"
    case .versionNotFound(let model, let version, let path):
      "failed to load '\(model)': version \(version) was not found at \(path)"
    case .nothingBelow(let model, let version):
      "'\(model)' has no version below \(version) to go back to"
    case .labelTarget(let model, let label, let version):
      "label '\(label)' of '\(model)' points at version \(version), which is not among the versions "
        + "to serve"
    case .busy(let model): "'\(model)' is being loaded already"
    case .replacing: "another configuration of models is being put into force"
    case .pinsNotKept(let path, let errno):
      "done, but a restart will undo it: \(path) cannot be written (\(ErrorText.of(errno)))"
    case .invalid(let error): error.sentence
    case .failed(let model, let version, let cause):
      "failed to load '\(model)' version \(version): \(cause.sentence)"
    case .refused(let error): Self.sentence(error)
    }
  }

  private static func sentence(_ error: ServingError) -> String {
    switch error {
    case .modelNotFound(let model): "no model is called '\(model)'"
    case .versionNotFound(let model, let version):
      "version \(version) of '\(model)' does not serve"
    default: "\(error)"
    }
  }
}
