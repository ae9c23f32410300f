/// Which version of a model is asked.
public enum ModelVersion: Sendable, Equatable {
  /// The one that serves requests without a version.
  case serving
  case number(Int64)
  case label(String)

  var text: String? {
    switch self {
    case .serving: nil
    case .number(let number): "\(number)"
    case .label(let label): label
    }
  }
}

/// How a prediction is asked for.
public struct PredictionOptions: Sendable, Equatable {
  /// How urgent a request is.
  public enum Priority: UInt32, Sendable {
    case usual = 0
    case high = 1
    case normal = 2
    case low = 3
  }

  /// Names of the outputs that are wanted; nil for all.
  public var outputs: [String]?
  /// How long the call may take, with the time that it waits for a connection; nil for the client's time
  /// once it has one.
  public var timeout: Duration?
  public var priority = Priority.usual
  /// Keeps requests of one key at one version while another is tried; printable ASCII.
  public var key: String?

  public init() {}
}

/// The answer to a prediction.
public struct Prediction: Sendable, Equatable {
  public var model: String
  /// The version that answered.
  public var version: String
  /// Who answered in place of the model; nil when it was the model itself.
  public var fallback: String?
  public var outputs: [Tensor]

  /// The output called `name`; nil when there is none.
  public subscript(name: String) -> Tensor? { outputs.first { $0.name == name } }
}

/// What a model says about itself.
public struct ModelMetadata: Sendable, Equatable {
  public var model: String
  public var platform: String
  /// Every version that serves.
  public var versions: [String]
  public var inputs: [TensorDescription]
  public var outputs: [TensorDescription]
  /// The names of the classes; none when the model has none.
  public var labels: [String]
}

/// A version that serves.
public struct ServedModel: Sendable, Equatable {
  public var name: String
  public var version: String
}
