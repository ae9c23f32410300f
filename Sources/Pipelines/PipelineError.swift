package import Tensors

/// Why a pipeline cannot be: what is wrong with its declaration, or with the models that it names.
package enum PipelineError: Error, Equatable, Sendable {
  case noSteps
  case tooManySteps(limit: Int, actual: Int)
  /// A step where it cannot be; what may be there.
  case misplaced(step: Int, name: String, expected: String)
  case noModel
  /// A number beyond its bounds.
  case outOfBounds(step: Int, key: String, value: Double, expected: String)
  /// As many numbers as channels, or one for all.
  case channelCount(step: Int, key: String, expected: Int, actual: Int)
  case tooManyCases(step: Int, limit: Int, actual: Int)
  case unknownModel(step: Int, model: String)
  /// A model of several inputs can only begin a pipeline.
  case severalInputs(step: Int, model: String, count: Int)
  /// A model of several outputs, of which the next step needs one.
  case severalOutputs(step: Int, model: String, names: [String])
  case noOutput(step: Int, output: String, known: [String])
  /// What comes does not fit what is taken.
  case misfit(step: Int, model: String, offered: TensorType, expected: TensorType)
  /// An output that holds no scores of classes.
  case noScores(step: Int, model: String, type: TensorType)
  case tooFewClasses(step: Int, model: String, wanted: Int, classes: Int)
  case unknownLabel(step: Int, label: String, model: String)
  /// An input that is no picture, and the step does not say what size it is to have.
  case noPicture(step: Int, model: String, type: TensorType)
  /// The runtime's words.
  case unplannable(step: Int, reason: String)
  /// A library that decodes images cannot be loaded.
  case missingLibrary(step: Int, file: String, package: String)

  /// One sentence for people; steps count from one.
  package var sentence: String {
    switch self {
    case .noSteps: "The pipeline has no steps."
    case .tooManySteps(let limit, let actual):
      "The pipeline has \(actual) steps; at most \(limit) are possible."
    case .misplaced(let step, let name, let expected):
      "Step \(step + 1) is \"\(name)\"; there may be \(expected)."
    case .noModel: "The pipeline names no model."
    case .outOfBounds(let step, let key, let value, let expected):
      "Step \(step + 1): \"\(key)\" is \(number(value)); it must be \(expected)."
    case .channelCount(let step, let key, let expected, let actual):
      "Step \(step + 1): \"\(key)\" has \(actual) numbers; it must have 1, or \(expected), one for each "
        + "channel."
    case .tooManyCases(let step, let limit, let actual):
      "Step \(step + 1) has \(actual) cases; 1 to \(limit) are possible."
    case .unknownModel(let step, let model):
      "Step \(step + 1) names the model \"\(model)\", which is not configured."
    case .severalInputs(let step, let model, let count):
      "Step \(step + 1): the model \(model) has \(count) inputs; a step before it makes one."
    case .severalOutputs(let step, let model, let names):
      "Step \(step + 1): the model \(model) has the outputs \(names.joined(separator: ", ")); "
        + "\"output\" must name one of them."
    case .noOutput(let step, let output, let known):
      "Step \(step + 1): there is no output \"\(output)\"; there is \(known.joined(separator: ", "))."
    case .misfit(let step, let model, let offered, let expected):
      "Step \(step + 1): the model \(model) takes \(text(expected)); what comes is \(text(offered))."
    case .noScores(let step, let model, let type):
      "Step \(step + 1): the output of \(model) is \(text(type)), which are no scores of one row of "
        + "classes."
    case .tooFewClasses(let step, let model, let wanted, let classes):
      "Step \(step + 1): the \(wanted) best classes are wanted; \(model) has \(classes)."
    case .unknownLabel(let step, let label, let model):
      "Step \(step + 1): \"\(label)\" is no label of \(model)."
    case .noPicture(let step, let model, let type):
      "Step \(step + 1): the model \(model) takes \(text(type)); a picture is [1, height, width, "
        + "channels] with 1 or 3 channels."
    case .unplannable(let step, let reason): "Step \(step + 1) cannot be computed: \(reason)."
    case .missingLibrary(let step, let file, let package):
      "Step \(step + 1) needs \(file), which cannot be loaded; install the package \(package)."
    }
  }

  private func text(_ type: TensorType) -> String {
    "\(type.dataType) [" + type.shape.extents.map(String.init).joined(separator: ", ") + "]"
  }

  private func number(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}
