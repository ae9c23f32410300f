import ByteParsing
import ModelBundle
import Runtime
import TFLiteImport

extension LoadFailure {
  init(_ error: ParsingError, path: String) {
    switch error {
    case .unreadableFile(let errno): self = .unreadable(path: path, errno: errno)
    default: self = .invalidModel(String(describing: error))
    }
  }

  init(_ error: BundleError, path: String) {
    switch error {
    case .unreadable(let parsing): self.init(parsing, path: path)
    case .notABundle: self = .invalidModel("neither a TensorFlow Lite model nor a bundle")
    default: self = .invalidModel(String(describing: error))
    }
  }

  init(_ error: TFLiteError) {
    switch error {
    case .unsupportedOperators(let operators):
      self = .unsupported(operators.map { "\($0.name) version \($0.version) ×\($0.count)" })
    case .malformed(.wrongIdentifier):
      self = .invalidModel("it does not begin as a TensorFlow Lite file does")
    default: self = .invalidModel(String(describing: error))
    }
  }

  init(_ error: RuntimeError) {
    switch error {
    case .unsupported(let operators):
      self = .unsupported(
        operators.map { kind in
          let types = kind.inputs.map { "\($0)" }.joined(separator: ", ")
          return "\(kind.name)(\(types)) ×\(kind.count)"
        })
    case .outOfMemory(let byteCount):
      self = .overBudget(needed: byteCount, available: 0, budget: 0)
    case .invalidGraph, .valueTooLarge, .unplannable:
      self = .invalidModel(String(describing: error))
    }
  }
}
