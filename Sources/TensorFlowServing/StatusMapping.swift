package import Serving
internal import TensorJSON
internal import Tensors
internal import Transport

/// The answer to a call that failed for `error`; every kind of error is named here.
func refusal(_ error: any Error, model: String, _ selector: VersionSelector) -> HTTPResponse {
  switch error {
  case let error as ServingError:
    .error(
      status(error), sentence(error, model: model, selector),
      headers: error.retrySeconds.map { [("Retry-After", "\($0)")] } ?? [])
  case let error as RequestError: refusal(error)
  case let error as JSONError: refusal(error)
  default: .error(500, "Internal error.")
  }
}

private func servable(_ model: String, _ selector: VersionSelector) -> String {
  switch selector {
  case .latest, .label: "Latest(\(model))"
  case .version(let version): "Specific(\(model), \(version))"
  }
}

private func status(_ error: ServingError) -> Int {
  switch error {
  case .modelNotFound, .versionNotFound: 404
  case .labelNotFound, .missingInput, .unknownInput, .duplicateInput, .unknownOutput,
    .wrongDataType, .wrongShape, .wrongByteCount, .batchMismatch, .batchTooLarge, .invalidTerm,
    .elementNotAdmitted, .elementRefused, .valuesRefused, .inputUnreadable:
    400
  // 429 is for clients that send more than they may; here it is the server that has enough.
  case .notReady, .misfit, .queueFull, .overMemory, .shuttingDown: 503
  case .cancelled: 499
  case .deadlineExceeded: 504
  }
}

/// TensorFlow Serving's words for an error.
package func sentence(
  _ error: ServingError, model: String, _ selector: VersionSelector
) -> String {
  switch error {
  case .modelNotFound, .versionNotFound, .notReady:
    "Servable not found for request: \(servable(model, selector))"
  case .labelNotFound(_, let label): "Unrecognized servable version label: \(label)"
  case .missingInput(let name): "Missing named input: \(name)"
  case .unknownInput(let name), .duplicateInput(let name):
    "JSON object: does not have named input: \(name)"
  case .unknownOutput(let name): "output tensor alias not found in signature: \(name)"
  case .wrongDataType(let input, let expected, let actual):
    "Input \(input) of type \(dataTypeWord(actual)) is not of expected type: \(dataTypeWord(expected))"
  case .wrongShape(let input, let expected, let actual):
    "Input \(input): Expecting shape \(list(expected)) but got: \(list(actual))"
  case .wrongByteCount(let input, let expected, let actual):
    "Input \(input): Expecting tensor size: \(expected) but got: \(actual)"
  case .batchMismatch(let input, let expected, let actual):
    "Input \(input): Expecting \(expected) rows but got: \(actual)"
  case .batchTooLarge(let limit, let actual):
    "Task size \(actual) is larger than maximum input batch size \(limit)"
  case .inputUnreadable: "The memory of an input cannot be read"
  case .elementNotAdmitted(let input, let index):
    "Input \(input): element \(index) is not among the numbers that the model takes"
  case .elementRefused(let input, let index, let reason):
    "Input \(input): element \(index): \(reason)"
  case .valuesRefused(let reason): "The model has no result for these inputs: \(reason)"
  case .misfit(_, let reason): reason
  case .invalidTerm(let name, let value, let expected):
    "\(name) is '\(value)'; it must be \(expected.lowerBound) to \(expected.upperBound)"
  case .queueFull(_, let limit, _):
    "The batch scheduling queue to which this task was submitted is full; limit \(limit)"
  case .deadlineExceeded: "Deadline exceeded"
  case .cancelled: "Cancelled"
  case .overMemory(let needed, let available):
    "The request needs \(needed) bytes of memory, \(available) are available"
  case .shuttingDown: "The server is shutting down"
  }
}

private func refusal(_ error: RequestError) -> HTTPResponse {
  switch error {
  case .unsupportedType(let type):
    .error(501, "Conversion of JSON Value to type: \(dataTypeWord(type))")
  default: .error(400, sentence(error))
  }
}

private func sentence(_ error: RequestError) -> String {
  switch error {
  case .notAnObject(let kind): "JSON Value: Type: \(word(kind)) Is not object"
  case .signatureNameKind:
    "JSON Value: not formatted correctly. 'signature_name' key must be a string value."
  case .signatureNotFound(let key):
    "Serving signature name: \"\(key)\" not found in signature def"
  case .missingKey: "Missing 'inputs' or 'instances' key"
  case .bothKeys:
    "JSON Value: Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
  case .instancesKind: "JSON Value: Excepting 'instances' to be an list/array"
  case .noInstances: "JSON Value: No values in 'instances' array"
  case .plainInstances:
    "instances is a plain list, but expecting list of objects as multiple input tensors required "
      + "as per tensorinfo_map"
  case .plainInputs:
    "inputs is a plain value/list, but expecting an object as multiple input tensors required as "
      + "per tensorinfo_map"
  case .mixedInstances(let row, expectsObject: true):
    "Expecting object but got list at item \(row) of input list"
  case .mixedInstances(let row, expectsObject: false):
    "Expecting value/list but got object at item \(row) of input list"
  case .instanceKeys(let row, let expected):
    "Failed to process element: \(row) of 'instances' list. JSON object: keys must be equal to: "
      + expected.joined(separator: ",")
  case .unknownInstanceKey(let row, let key):
    "Failed to process element: \(row) key: \(key) of 'instances' list. Error: JSON object: does "
      + "not have named input: \(key)"
  case .missingInput(let name): "Missing named input: \(name) in 'inputs' object."
  case .encodedBytes(let type):
    "JSON Value: Type: Object is not of expected type: \(dataTypeWord(type)); "
      + "base64 is for strings alone"
  case .wrongCall(let call):
    "Expected \(call) signature method_name to be tensorflow/serving/\(call). "
      + "Was: tensorflow/serving/predict"
  case .missingExamples: "Missing 'examples' key"
  case .examplesKind(let kind): "JSON Value: Type: \(word(kind)) 'examples' must be a list"
  case .noExamples: "JSON Value: No values in 'examples' array"
  case .exampleKind(let kind, let row):
    "Expecting object but got \(word(kind)) at item \(row) of 'examples' list"
  case .contextKind(let kind): "JSON Value: Type: \(word(kind)) 'context' must be an object"
  case .missingFeature(let name, let row): "Example \(row) lacks the feature: \(name)"
  case .duplicateFeature(let name, let row): "Example \(row) has the feature \(name) twice"
  case .contextTooLarge(let limit):
    "JSON Value: the examples that 'context' fills take more than \(limit) bytes"
  case .featureSize(let name, let expected, let actual):
    "Feature \(name): Expecting \(expected) values but got: \(actual)"
  case .scalarOutput(let name): "Tensor name: \(name) has no shape information "
  case .outputRows(let name, let expected, let actual):
    "Tensor name: \(name) has inconsistent batch size: \(actual) expecting: \(expected)"
  case .unsupportedType: ""
  }
}

private func refusal(_ error: JSONError) -> HTTPResponse {
  if case .unsupportedType(let type) = error { return refusal(RequestError.unsupportedType(type)) }
  return .error(400, sentence(error))
}

private func sentence(_ error: JSONError) -> String {
  switch error {
  case .empty: "JSON Parse error: The document is empty"
  case .unexpectedEnd(let offset), .unexpectedByte(let offset), .invalidString(let offset),
    .invalidNumber(let offset):
    "JSON Parse error: Invalid value. at offset: \(offset)"
  case .tooDeep(let limit, let offset):
    "JSON Parse error: Nested deeper than \(limit) levels. at offset: \(offset)"
  case .stringTooLong(let limit, let offset):
    "JSON Parse error: String longer than \(limit) bytes. at offset: \(offset)"
  case .wrongKind(let expected, let actual, let offset):
    "JSON Value at offset: \(offset) Type: \(word(actual)) is not of expected type: \(word(expected))"
  case .wrongElement(let expected, let actual, let offset):
    "JSON Value at offset: \(offset) Type: \(word(actual)) is not of expected type: "
      + dataTypeWord(expected)
  case .notInteger(let expected, let offset):
    "JSON Value at offset: \(offset) Type: Number is not of expected type: \(dataTypeWord(expected))"
  case .outOfRange(let expected, let offset):
    "Cannot convert JSON value at offset: \(offset) to \(dataTypeWord(expected)) without loss of "
      + "precision."
  case .ragged(let level, let expected, let actual, let offset):
    "Encountered list at unexpected size: \(actual) at level: \(level) expected size: \(expected) "
      + "at offset: \(offset)"
  case .wrongLevel(let expected, let actual, let offset):
    "JSON Value found at incorrect level: \(actual) Expected at level: \(expected) "
      + "at offset: \(offset)"
  case .tooManyElements(let limit, let offset):
    "More than \(limit) elements at offset: \(offset)"
  case .unsupportedType: ""
  }
}

private func word(_ kind: JSONKind) -> String {
  switch kind {
  case .object: "Object"
  case .array: "Array"
  case .string: "String"
  case .number: "Number"
  case .bool: "Bool"
  case .null: "Null"
  }
}

private func list(_ shape: Shape) -> String {
  "[" + shape.extents.map { "\($0)" }.joined(separator: ",") + "]"
}
