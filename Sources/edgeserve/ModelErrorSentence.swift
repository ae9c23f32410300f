import ByteParsing
import ModelGraph
import TFLiteImport

/// What is wrong with a model file, in words that follow a colon; tensors and operators are numbered
/// as in the file, from 0.
enum ModelErrorSentence {
  static func of(_ error: TFLiteError) -> String {
    switch error {
    case .malformed(let error): "is no well-formed file: \(of(error))"
    case .schemaVersion(let version):
      "is written for version \(version) of its schema, and only version 3 is read"
    case .noSubgraph: "holds no subgraph to run"
    case .unsupportedOperators(let operators):
      "uses operators that are not supported: "
        + operators.map { "\($0.name) version \($0.version) ×\($0.count)" }.joined(separator: ", ")
    case .dataType(let tensor, let code):
      "tensor \(tensor) has an element type that is not supported, code \(code)"
    case .tensorShape(let tensor, let extents):
      "tensor \(tensor) has the shape \(extents), which no tensor can have"
    case .constantByteCount(let tensor, let expected, let actual):
      "tensor \(tensor) holds \(actual) bytes where its type and shape make \(expected)"
    case .subgraphDepth(let limit): "has subgraphs that use one another more than \(limit) deep"
    case .expandedOperators(let limit):
      "makes more than \(limit) operators when its subgraphs are put in place"
    case .optionOutOfRange(let node, let value):
      "operator \(node) has an option of the value \(value), which it does not take"
    case .encodedTensor(let node):
      "the constants that operator \(node) decodes are of a kind that is not supported, or too few"
    case .unrolledMemory(let steps, let limit):
      "has a memory of 16-bit codes over \(steps) moments, or with peepholes, a projection or a "
        + "normalisation; up to \(limit) moments of the plain one are supported"
    case .graph(let error): "cannot be computed: \(of(error))"
    default: "is not a valid model: \(error)"
    }
  }

  static func of(_ error: GraphError) -> String {
    switch error {
    case .operandNotConstant(let node, let operand):
      "operand \(operand) of operator \(node) must be known before the model runs, and is computed "
        + "from its inputs: shapes that depend on data are not supported there"
    case .operandDataType(let node, let operand, let type):
      "operator \(node) takes no \(type) as operand \(operand)"
    case .operandRank(let node, let operand, let expected, let actual):
      "operand \(operand) of operator \(node) has rank \(actual), expected \(expected)"
    case .operandExtent(let node, let operand, let axis, let expected, let actual):
      "operand \(operand) of operator \(node) has the extent \(actual) on axis \(axis), expected "
        + "\(expected)"
    case .operandCount(let node, let expected, let actual):
      "operator \(node) has \(actual) operands, expected \(expected)"
    case .operandQuantization(let node, let operand):
      "operand \(operand) of operator \(node) lacks a quantisation that fits"
    case .resultDataType(let node, let type): "operator \(node) cannot result in \(type)"
    case .notBroadcastable(let node, let left, let right):
      "the operands of operator \(node) have shapes that do not go together, \(left) and \(right)"
    case .reshapeCount(let node, let elements, let target):
      "operator \(node) cannot give \(elements) elements the shape \(target)"
    case .shapeTooLarge(let node, let shape):
      "operator \(node) would make a tensor of the shape \(shape)"
    case .foldedBytes(let needed, let limit):
      "its constants take \(needed) bytes when they are computed, at most \(limit) are allowed"
    case .parameterInvalid(let node):
      "operator \(node) has options or parameters outside of what it takes"
    case .windowInvalid(let node):
      "the window of operator \(node) does not fit its operands"
    case .inputCount(let expected, let actual): "it has \(expected) inputs, and \(actual) were given"
    case .inputShape(let index, let expected, let actual):
      "input \(index) has the shape \(expected), and \(actual) was given"
    case .inSubgraph(let node, let error): "in the subgraph that operator \(node) runs, \(of(error))"
    default: "its operators do not make a graph: \(error)"
    }
  }

  static func of(_ error: ParsingError) -> String {
    switch error {
    case .outOfBounds(let offset, let needed, let count):
      "\(needed) bytes are named at byte \(offset), of \(count)"
    case .wrongIdentifier: "it does not begin as a TensorFlow Lite file does"
    case .invalidString(let offset): "the text at byte \(offset) is broken"
    case .tooManyElements(let offset, let count, let limit):
      "\(count) elements are named at byte \(offset), at most \(limit) are allowed"
    case .unreadableFile(let number): systemMessage(number)
    default: "\(error)"
    }
  }
}
