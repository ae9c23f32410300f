/// Why a version was not put into service.
package enum LoadFailure: Error, Sendable, Equatable {
  /// The file cannot be opened or mapped; `errno` of the failed call, 0 when there was none.
  case unreadable(path: String, errno: Int32)
  /// The bytes are no valid model or bundle; the parser's own words.
  case invalidModel(String)
  /// The file was cut or written to while it was read.
  case changedWhileLoading(path: String)
  /// Operators that this build cannot run, each as the importer names it.
  case unsupported([String])
  /// The version needs `needed` bytes; `available` of the `budget` could be granted.
  case overBudget(needed: Int, available: Int, budget: Int)
  /// Golden vector `vector` gave another `output` than recorded.
  case goldenMismatch(vector: Int, output: Int, largestDifference: Double, tolerance: Double)
  /// Golden vector `vector` does not fit the model's inputs and outputs.
  case goldenMalformed(vector: Int, expectedBytes: Int, actualBytes: Int)
  /// The version must be proven, and brings nothing to prove it with.
  case noGoldenVectors
  /// Request `record` of those recorded for warm-up cannot be run.
  case warmUp(record: Int, reason: String)
  /// One inference takes longer than the gate allows.
  case latencyGate(medianMicroseconds: Int, limitMicroseconds: Int)
  /// The version takes more memory than the gate allows.
  case memoryGate(neededBytes: Int, limitBytes: Int)
  /// The version that serves could not be drained in time to make room.
  case drainTimedOut(milliseconds: Int)
  /// The versions that a pipeline is made of do not fit each other.
  case misfit(String)
  case shuttingDown

  /// The cause code that status documents carry.
  package var code: String {
    switch self {
    case .unreadable: "unreadable"
    case .invalidModel, .changedWhileLoading: "model-invalid"
    case .unsupported: "unsupported"
    case .overBudget, .drainTimedOut: "over-budget"
    case .goldenMismatch, .goldenMalformed, .noGoldenVectors: "gate-mismatch"
    case .warmUp: "warm-up"
    case .latencyGate: "gate-latency"
    case .memoryGate: "gate-memory"
    case .misfit: "misfit"
    case .shuttingDown: "shutting-down"
    }
  }

  /// What a client may know: no path of this machine.
  package var publicSentence: String {
    switch self {
    case .unreadable: "The file cannot be read."
    case .changedWhileLoading: "The file was written to while it was loaded."
    default: sentence
    }
  }

  /// One sentence for people: what was found, what was expected.
  package var sentence: String {
    switch self {
    case .unreadable(let path, let errno):
      "The file \(path) cannot be read (errno \(errno))."
    case .invalidModel(let reason):
      "The file is no valid model: \(reason)."
    case .changedWhileLoading(let path):
      "The file \(path) was written to while it was loaded; put models in place by rename."
    case .unsupported(let operators):
      "The model needs operators that this build cannot run: "
        + operators.joined(separator: ", ") + "."
    case .overBudget(let needed, let available, let budget):
      "The model needs \(needed) bytes; "
        + "\(available) of the budget of \(budget) bytes are available."
    case .goldenMismatch(let vector, let output, let difference, let tolerance):
      "Golden vector \(vector), output \(output), is off by \(difference); allowed are \(tolerance)."
    case .goldenMalformed(let vector, let expected, let actual):
      "Golden vector \(vector) holds \(actual) bytes where the model has \(expected)."
    case .noGoldenVectors:
      "The release brings no golden vectors to prove it with."
    case .warmUp(let record, let reason):
      "Request \(record) of those recorded for warm-up cannot be run: \(reason)."
    case .latencyGate(let median, let limit):
      "One inference takes \(median) microseconds here; the gate allows \(limit)."
    case .memoryGate(let needed, let limit):
      "The version takes \(needed) bytes; the gate allows \(limit)."
    case .drainTimedOut(let milliseconds):
      "The version that serves was still in use after \(milliseconds) ms, so there was no room."
    case .misfit(let reason): reason
    case .shuttingDown:
      "The agent is shutting down."
    }
  }
}
