package import ByteParsing
package import ModelGraph

/// An operator that a model uses and this runtime does not have.
package struct UnsupportedOperator: Error, Equatable, Sendable {
  /// The schema's name, such as `GATHER`; `CUSTOM:` and the custom code for custom ones.
  package var name: String
  /// The operator's version that the model asks for.
  package var version: Int
  /// How often the model uses it.
  package var count: Int

  package init(name: String, version: Int, count: Int) {
    self.name = name
    self.version = version
    self.count = count
  }
}

/// Why a `.tflite` file cannot be brought into a graph; tensors and operators count as in the file.
package enum TFLiteError: Error, Equatable, Sendable {
  /// The bytes are not a well-formed file.
  case malformed(ParsingError)
  /// The schema's version; only 3 is read.
  case schemaVersion(UInt32)
  /// The file holds no subgraph to run.
  case noSubgraph
  /// Every operator that is not supported, in the order of first use.
  case unsupportedOperators([UnsupportedOperator])
  /// An operator names an operator code that the file does not have.
  case operatorCodeOutOfRange(operator: Int, index: UInt32, count: Int)
  /// An operator carries the options of another.
  case optionsMismatch(operator: Int, expected: UInt8, actual: UInt8)
  /// An enumeration's value in an operator's options that is not known: activation, padding or
  /// format.
  case optionOutOfRange(operator: Int, value: Int)
  /// An element type that is not known or not supported.
  case dataType(tensor: Int, code: Int8)
  /// A rank above the highest, or an extent below zero or beyond the address space.
  case tensorShape(tensor: Int, extents: [Int])
  /// A tensor names a buffer that the file does not have.
  case bufferOutOfRange(tensor: Int, index: UInt32, count: Int)
  /// A constant with another number of bytes than its type and shape make.
  case constantByteCount(tensor: Int, expected: Int, actual: Int)
  /// Scales and zero points that do not belong together, or are not numbers of their type.
  case quantization(tensor: Int)
  /// A tensor that keeps its elements from one inference to the next although an operator makes it.
  case variableTensor(tensor: Int)
  /// A tensor stored without its zeros whose indices do not lead to its elements.
  case sparseTensor(tensor: Int)
  /// A memory of 16-bit codes with more moments than `limit`, none, or in a form that no runtime takes.
  case unrolledMemory(steps: Int, limit: Int)
  /// Operands of a decoder that are not constant, of a kind or version that is not known, or too few bytes for the
  /// elements that they should make.
  case encodedTensor(operator: Int)
  /// A signature names a tensor that is not an input or output of the model.
  case signatureTensor(signature: Int, tensor: UInt32)
  /// A tensor is used as the handle of a variable and is none.
  case variableHandle(operator: Int)
  /// The first elements of a variable are not constant.
  case variableInitialization(subgraph: Int)
  /// No signature of that name.
  case signatureNotFound(key: String)
  /// A subgraph that the file does not have.
  case subgraphOutOfRange(index: Int, count: Int)
  /// Subgraphs that use one another more than `limit` deep.
  case subgraphDepth(limit: Int)
  /// Subgraphs put in the places of their calls make more than `limit` operators.
  case expandedOperators(limit: Int)
  /// An operator gives a subgraph another number of tensors than it takes, or takes another number.
  case callOperands(
    operator: Int, inputs: Int, outputs: Int, expectedInputs: Int, expectedOutputs: Int)
  /// A subgraph that is run by a loop or a branch keeps something between inferences.
  case variablesInSubgraph(index: Int)
  /// The operators do not make a graph that can be computed; nodes count as operators in the file.
  case graph(GraphError)
}
