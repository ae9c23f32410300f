package import Tensors

/// Why the body of an inference request is not one of this protocol.
package enum RequestError: Error, Equatable, Sendable {
  case noInputs
  case missingField(String, input: Int)
  case duplicateField(String)
  case unknownDatatype(String, input: String)
  /// `extent` is no extent of a shape.
  case invalidExtent(Int, input: String)
  case rankTooHigh(limit: Int, input: String)
  case shapeTooLarge(input: String)
  /// The elements of `data` are not as many as the shape says.
  case elementCount(input: String, expected: Int, actual: Int)
  /// `data` is nested otherwise than the shape says.
  case nesting(input: String, expected: Shape, actual: Shape)
  /// Data that are neither in `data` nor in the binary part, or in both.
  case dataPlace(input: String)
  /// The header length is no number, or reaches beyond the body.
  case headerLength(String)
  /// The binary part ends `missing` bytes before the input does.
  case binaryShort(input: String, missing: Int)
  /// The binary part goes on after the last input.
  case binaryLong(extra: Int)
  /// The binary size is not that of the shape.
  case binarySize(input: String, expected: Int, actual: Int)
  /// Raw tensors that are not as many as the inputs.
  case rawCount(expected: Int, actual: Int)
  /// Typed contents where the request has raw ones.
  case contentsBesideRaw(input: String)
  /// The type has no typed contents.
  case rawOnly(input: String, DataType)
  /// An integer that its element type does not hold.
  case elementRange(Int64, input: String, DataType)
  /// The data are in a region that the client has not handed over.
  case unknownRegion(String, input: String)
  /// The data reach beyond the `region` bytes that were handed over.
  case regionBounds(input: String, offset: Int, byteCount: Int, region: Int)
  /// The data of an output are to go to memory of the client.
  case sharedOutput(String)
  /// A timeout below zero.
  case timeout(Int)
  /// A priority below zero.
  case priority(Int)
  /// A number of classes below one.
  case classCount(Int, output: String)
  /// A body without a header can be sent to a model of one input alone.
  case rawInputs(count: Int)
  /// An output whose type has no form in JSON was not asked for in binary.
  case binaryOnly(output: String, DataType)
}
