package import TensorJSON
package import Tensors

/// Why the body of a predict request is not one of this interface, or its reply cannot be written.
package enum RequestError: Error, Equatable, Sendable {
  case notAnObject(JSONKind)
  case signatureNameKind(JSONKind)
  case signatureNotFound(String)
  /// Neither `inputs` nor `instances`.
  case missingKey
  /// Both `inputs` and `instances`.
  case bothKeys
  case instancesKind(JSONKind)
  case noInstances
  /// Bare values where several inputs need names.
  case plainInstances
  case plainInputs
  /// A bare value at `row` among objects, or the other way round.
  case mixedInstances(row: Int, expectsObject: Bool)
  /// The keys of `row` are not the names of the inputs.
  case instanceKeys(row: Int, expected: [String])
  case unknownInstanceKey(row: Int, key: String)
  case missingInput(String)
  /// `{"b64": …}` for an input that holds no strings.
  case encodedBytes(DataType)
  /// The type has no form in this interface.
  case unsupportedType(DataType)
  /// The call is one that the signature's tensors do not fit.
  case wrongCall(String)
  /// A classification or regression without `examples`.
  case missingExamples
  case examplesKind(JSONKind)
  case noExamples
  case exampleKind(JSONKind, row: Int)
  case contextKind(JSONKind)
  case missingFeature(String, row: Int)
  case duplicateFeature(String, row: Int)
  /// Examples that the context fills take more than `limit` bytes.
  case contextTooLarge(limit: Int)
  /// A feature has `actual` values, where the input takes `expected` of each row.
  case featureSize(String, expected: Int, actual: Int)
  /// Row form, but the output has no leading extent.
  case scalarOutput(String)
  /// Row form, but the outputs differ in their leading extent.
  case outputRows(String, expected: Int, actual: Int)
}
