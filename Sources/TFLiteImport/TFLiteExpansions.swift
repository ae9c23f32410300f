import ByteParsing
import ModelGraph
import Tensors

/// Operators of the file that are several in the graph.
extension TFLiteAssembly {
  /// Makes `node` the last of the nodes that stand for it, and adds those before it.
  mutating func expand(_ node: inout Node) {
    switch node.operation {
    case .detect: dequantizeOperands(of: &node)
    case .binary where node.inputs.count > 2: foldOperands(of: &node)
    case .recurrent(.lstm), .recurrent(.rnn): addTime(to: &node)
    case .signal(.subtractNoise): keepNoise(of: &node)
    case .signal(.overlapAdd): keepSums(of: &node)
    case .nonzero(.positions): countFirst(&node)
    case .distinct: shorten(&node)
    default: break
    }
  }

  /// The list of boxes is made of numbers, whatever codes the detector gives.
  private mutating func dequantizeOperands(of node: inout Node) {
    for (place, operand) in node.inputs.enumerated() {
      guard let operand, let type = type(operand), [.uint8, .int8].contains(type.dataType) else {
        continue
      }
      let numbers = append(TensorType(.float32, type.shape))
      add(Node(.dequantize, inputs: [operand], outputs: [numbers]))
      node.inputs[place] = numbers
    }
  }

  /// An operation of many operands, two at a time.
  private mutating func foldOperands(of node: inout Node) {
    dequantizeSummands(of: &node)
    guard let first = node.input(0), let type = type(first) else { return }
    var sum: ValueID? = first
    for operand in node.inputs.dropFirst().dropLast() {
      let next = append(type)
      add(Node(node.operation, inputs: [sum, operand], outputs: [next]))
      sum = next
    }
    node.inputs = [sum, node.inputs[node.inputs.count - 1]]
  }

  /// A sum of codes, which no code between two of them might hold, is one of numbers.
  private mutating func dequantizeSummands(of node: inout Node) {
    guard let first = node.input(0), let codes = type(first), node.outputs.count == 1,
      codes.quantization != nil, [.int8, .uint8, .int16].contains(codes.dataType)
    else { return }
    for (place, operand) in node.inputs.enumerated() {
      guard let operand, let type = type(operand) else { continue }
      let numbers = append(TensorType(.float32, type.shape))
      add(Node(.dequantize, inputs: [operand], outputs: [numbers]))
      node.inputs[place] = numbers
    }
    let sum = append(TensorType(.float32, []))
    later = Node(.quantize, inputs: [sum], outputs: node.outputs)
    node.outputs = [sum]
  }

  /// How many rows there will be is computed before them.
  private mutating func countFirst(_ node: inout Node) {
    let count = append(TensorType(.int64, [1]))
    add(Node(.nonzero(.count), inputs: node.inputs, outputs: [count]))
    node.inputs.append(count)
  }

  /// Of a list with room for all elements, those that were found.
  private mutating func shorten(_ node: inout Node) {
    guard let input = node.input(0), let type = type(input), node.outputs.count == 2 else { return }
    let (list, count) = (append(type), append(TensorType(.int64, [1])))
    let start = append(TensorType(.int64, [1]), constant: ByteView([0] as [Int64]))
    later = Node(.move(.slice), inputs: [list, start, count], outputs: [node.outputs[0]])
    node.outputs = [list, node.outputs[1], count]
  }

  /// A memory that is given one moment is given a sequence of one.
  private mutating func addTime(to node: inout Node) {
    guard let input = node.input(0), let type = type(input), type.shape.rank == 2,
      let output = node.outputs.first, let result = self.type(output), node.outputs.count == 1
    else { return }
    let sequence = append(type)
    add(Node(.expandDimensions(ExpandDimensions(axis: 0)), inputs: [input], outputs: [sequence]))
    node.inputs[0] = sequence
    let results = append(result)
    node.outputs = [results]
    later = Node(.squeeze(Squeeze(axes: [0])), inputs: [results], outputs: [output])
  }
}
