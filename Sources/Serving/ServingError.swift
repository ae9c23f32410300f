package import Tensors

/// Why a request is not answered with an inference.
package enum ServingError: Error, Equatable, Sendable {
  case modelNotFound(model: String)
  case versionNotFound(model: String, version: Int64)
  case labelNotFound(model: String, label: String)
  /// The model is known, but no version of it serves yet.
  case notReady(model: String)

  case missingInput(name: String)
  case unknownInput(name: String)
  case duplicateInput(name: String)
  case unknownOutput(name: String)
  case wrongDataType(input: String, expected: DataType, actual: DataType)
  /// `expected` is the shape that the model's signature declares.
  case wrongShape(input: String, expected: Shape, actual: Shape)
  case wrongByteCount(input: String, expected: Int, actual: Int)
  /// Two inputs of one request hold different numbers of rows.
  case batchMismatch(input: String, expected: Int, actual: Int)
  case batchTooLarge(limit: Int, actual: Int)
  /// Memory that an input lies in cannot be read.
  case inputUnreadable
  /// Element `index` of an input is none that the model's rules admit.
  case elementNotAdmitted(input: String, index: Int)

  /// Element `index` of an input is not what it must be; the words of whoever reads it.
  case elementRefused(input: String, index: Int, reason: String)
  /// The model cannot be computed with the elements of the inputs, as of shapes that follow from them.
  case valuesRefused(reason: String)
  /// The versions that serve do not fit each other; the words of whoever joins them.
  case misfit(model: String, reason: String)

  /// A field of the request that asks for what cannot be.
  case invalidTerm(name: String, value: String, expected: ClosedRange<Int>)

  /// Too many requests wait; so many of them are answered within `retryMilliseconds`.
  case queueFull(model: String, limit: Int, retryMilliseconds: Int)
  case deadlineExceeded
  /// The client no longer waits for the answer.
  case cancelled
  case overMemory(needed: Int, available: Int)
  case shuttingDown

  /// After how long the same request may succeed; nil when time does not help.
  package var retryMilliseconds: Int? {
    switch self {
    case .queueFull(_, _, let milliseconds): milliseconds
    case .notReady, .overMemory, .shuttingDown: 1000
    default: nil
    }
  }

  /// The same in whole seconds, as HTTP's `Retry-After` has it.
  package var retrySeconds: Int? { retryMilliseconds.map { max(1, ($0 + 999) / 1000) } }
}
