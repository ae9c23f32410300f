package import Serving

/// Why a model was not loaded or unloaded by hand.
package enum RepositoryRefusal: Error, Equatable {
  /// No local model has this name; delivered ones come and go with their releases.
  case notLocal(model: String)
  case nothingFound(model: String, path: String)
  /// A load of the model is under way.
  case busy(model: String)
  case failed(model: String, cause: LoadFailure)

  var status: Int {
    switch self {
    case .notLocal, .nothingFound: 404
    case .busy: 409
    case .failed: 400
    }
  }

  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .notLocal(let model): "no local model is called '\(model)'"
    case .nothingFound(let model, let path):
      "failed to load '\(model)': no version was found at \(path)"
    case .busy(let model): "'\(model)' is being loaded already"
    case .failed(let model, let cause): "failed to load '\(model)': \(cause.sentence)"
    }
  }
}
