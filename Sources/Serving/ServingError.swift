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

  case queueFull(model: String, limit: Int)
  case deadlineExceeded
  case overMemory(needed: Int, available: Int)
  case shuttingDown
}
