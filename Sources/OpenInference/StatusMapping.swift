package import Serving
internal import TensorJSON
internal import Tensors
internal import Transport

/// The answer to a request that failed for `error`; every kind of error is named here.
func refusal(_ error: any Error, model: String) -> HTTPResponse {
  switch error {
  case let error as ServingError: refusal(error, model: model)
  case let error as RequestError: .error(400, sentence(error))
  case let error as JSONError: .error(400, sentence(error))
  default: .error(500, "Internal error.")
  }
}

private func refusal(_ error: ServingError, model: String) -> HTTPResponse {
  let message = sentence(error, model: model)
  switch error {
  case .modelNotFound, .versionNotFound, .labelNotFound: return .error(404, message)
  case .missingInput, .unknownInput, .duplicateInput, .unknownOutput, .wrongDataType, .wrongShape,
    .wrongByteCount, .batchMismatch, .batchTooLarge, .invalidTerm,
    .elementNotAdmitted, .elementRefused, .valuesRefused, .inputUnreadable:
    return .error(400, message)
  case .notReady, .misfit, .queueFull, .overMemory, .shuttingDown:
    return .error(503, message, headers: error.retrySeconds.map { [("Retry-After", "\($0)")] } ?? [])
  case .cancelled: return .error(499, message)
  case .deadlineExceeded: return .error(504, message)
  }
}

/// The protocol's words for an error, as Triton Inference Server has them.
package func sentence(_ error: ServingError, model: String) -> String {
  switch error {
  case .modelNotFound(let model): "Request for unknown model: '\(model)' is not found"
  case .versionNotFound(let model, let version):
    "Request for unknown model: '\(model)' version \(version) is not found"
  case .labelNotFound(let model, let label):
    "Request for unknown model: '\(model)' version '\(label)' is not found"
  case .notReady(let model): "Model '\(model)' is not ready"
  case .missingInput(let name): "expected input '\(name)' for model '\(model)', but got none"
  case .unknownInput(let name): "unexpected inference input '\(name)' for model '\(model)'"
  case .duplicateInput(let name): "input '\(name)' already exists in request"
  case .unknownOutput(let name): "unexpected inference output '\(name)' for model '\(model)'"
  case .wrongDataType(let input, let expected, let actual):
    "inference input '\(input)' data-type is '\(name(actual))', but model '\(model)' expects "
      + "'\(name(expected))'"
  case .wrongShape(let input, let expected, let actual):
    "unexpected shape for input '\(input)' for model '\(model)'. Expected \(list(expected)), got "
      + list(actual)
  case .wrongByteCount(let input, let expected, let actual):
    "unexpected size for input '\(input)', expecting \(expected) bytes, got \(actual)"
  case .batchMismatch(let input, let expected, let actual):
    "input '\(input)' batch size is \(actual), but the other inputs have \(expected)"
  case .batchTooLarge(let limit, _): "inference request batch-size must be <= \(limit)"
  case .inputUnreadable: "the memory of an inference input cannot be read"
  case .elementNotAdmitted(let input, let index):
    "element \(index) of inference input '\(input)' is not among the numbers that model "
      + "'\(model)' takes"
  case .elementRefused(let input, let index, let reason):
    "element \(index) of inference input '\(input)': \(reason)"
  case .valuesRefused(let reason):
    "model '\(model)' has no result for these inputs: \(reason)"
  case .misfit(let model, let reason): "Model '\(model)' is not ready: \(reason)"
  case .invalidTerm(let name, let value, let expected):
    "\(name) is '\(value)'; it must be \(expected.lowerBound) to \(expected.upperBound)"
  case .queueFull: "Exceeds maximum queue size"
  case .deadlineExceeded: "Request timeout expired"
  case .cancelled: "Request was cancelled"
  case .overMemory(let needed, let available):
    "the request needs \(needed) bytes of memory, \(available) are available"
  case .shuttingDown: "the server is shutting down"
  }
}

/// The words for a request that is none of the protocol.
package func sentence(_ error: RequestError) -> String {
  switch error {
  case .noInputs: "the request has no inputs"
  case .missingField(let field, let input): "missing '\(field)' at index \(input)"
  case .duplicateField(let field): "field '\(field)' occurs twice"
  case .unknownDatatype(let datatype, let input):
    "inference input '\(input)' has the unknown data-type '\(datatype)'"
  case .invalidExtent(let extent, let input):
    "inference input '\(input)' has the invalid extent \(extent) in its shape"
  case .rankTooHigh(let limit, let input):
    "inference input '\(input)' has more than \(limit) extents"
  case .shapeTooLarge(let input): "the shape of inference input '\(input)' is too large"
  case .elementCount(let input, let expected, let actual):
    "inference input '\(input)' has \(actual) elements, but its shape holds \(expected)"
  case .nesting(let input, let expected, let actual):
    "inference input '\(input)' is nested as \(list(actual)), but its shape is \(list(expected))"
  case .dataPlace(let input):
    "inference input '\(input)' must have either 'data' or the parameter 'binary_data_size'"
  case .headerLength(let value): "\(headerLengthField) '\(value)' does not fit the request body"
  case .binaryShort(let input, let missing):
    "unexpected size for input '\(input)', expecting \(missing) additional bytes"
  case .binaryLong(let extra): "unexpected \(extra) additional bytes after the last input"
  case .binarySize(let input, let expected, let actual):
    "unexpected size for input '\(input)', expecting \(expected) bytes, got \(actual)"
  case .rawCount(let expected, let actual):
    "raw_input_contents holds \(actual) tensors, the request has \(expected) inputs"
  case .contentsBesideRaw(let input):
    "inference input '\(input)' must not have 'contents' beside raw_input_contents"
  case .rawOnly(let input, let type):
    "inference input '\(input)' of data-type '\(name(type))' must come in raw_input_contents"
  case .elementRange(let value, let input, let type):
    "inference input '\(input)' has the element \(value), which '\(name(type))' does not hold"
  case .unknownRegion(let region, let input):
    "Unable to find shared memory region: '\(region.prefix(100))' of input '\(input)'"
  case .regionBounds(let input, let offset, let byteCount, let region):
    "inference input '\(input)' takes \(byteCount) bytes at \(offset) of a shared memory region of "
      + "\(region) bytes"
  case .sharedOutput(let output):
    "output '\(output)' cannot be written to shared memory"
  case .timeout(let value): "timeout \(value) is below zero"
  case .priority(let value): "priority \(value) is below zero"
  case .classCount(let count, let output):
    "classification \(count) of output '\(output)' is below one"
  case .rawInputs(let count):
    "a raw binary request needs a model of one input, this one has \(count)"
  case .binaryOnly(let output, let type):
    "output '\(output)' of data-type '\(name(type))' must be requested as binary data"
  }
}

private func sentence(_ error: JSONError) -> String {
  switch error {
  case .empty: "failed to parse the request JSON buffer: The document is empty."
  case .unexpectedEnd(let offset), .unexpectedByte(let offset), .invalidString(let offset),
    .invalidNumber(let offset):
    "failed to parse the request JSON buffer: Invalid value. at \(offset)"
  case .tooDeep(let limit, let offset):
    "failed to parse the request JSON buffer: more than \(limit) levels at \(offset)"
  case .stringTooLong(let limit, let offset):
    "failed to parse the request JSON buffer: a string of more than \(limit) bytes at \(offset)"
  case .wrongKind(let expected, let actual, let offset):
    "expected a JSON \(expected.rawValue) at \(offset), got \(actual.rawValue)"
  case .wrongElement(let expected, let actual, let offset):
    "expected an element of type '\(name(expected))' at \(offset), got a JSON \(actual.rawValue)"
  case .notInteger(let expected, let offset):
    "expected an integer of type '\(name(expected))' at \(offset)"
  case .outOfRange(let expected, let offset):
    "the number at \(offset) is out of the range of '\(name(expected))'"
  case .ragged(let level, let expected, let actual, let offset):
    "a list of \(actual) elements ends at \(offset) on level \(level), where others have \(expected)"
  case .wrongLevel(let expected, let actual, let offset):
    "an element at \(offset) lies under \(actual) lists, where others lie under \(expected)"
  case .tooManyElements(let limit, let offset): "more than \(limit) elements at \(offset)"
  case .unsupportedType(let type):
    "data of type '\(name(type))' cannot be given in JSON; use the binary tensor data extension"
  }
}

private func name(_ type: DataType) -> String { datatypeName(type) ?? "INT4" }

private func list(_ shape: Shape) -> String {
  "[" + shape.extents.map { "\($0)" }.joined(separator: ",") + "]"
}
