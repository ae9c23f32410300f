import ByteParsing
import ModelGraph

/// An operator that computes what a subgraph computes.
struct TFLiteCall {
  /// The operator's place in the file.
  var index: Int
  var subgraph: Int
  var inputs: [ValueID?]
  var outputs: [ValueID]
}

/// An operator that decides at run time which subgraph to run, and how often.
struct TFLiteControl {
  /// In the order that the node's operator names them.
  var subgraphs: [Int]
  /// The operator's places of subgraphs are yet to be set.
  var node: Node
}

extension TFLiteOperatorReader {
  /// The operator as a use of subgraphs; nil when it is none.
  func onSubgraphs(
    inputs: [ValueID?], outputs: [ValueID]
  ) throws(TFLiteError) -> TFLiteOperation? {
    switch builtin {
    case .call:
      let options = try options(16)
      let subgraph = try parsing { () throws(ParsingError) in
        try options?.integer(0, default: UInt32(0)) ?? 0
      }
      return .call(
        TFLiteCall(index: index, subgraph: Int(subgraph), inputs: inputs, outputs: outputs))
    case .stablehloComposite:
      return .call(
        TFLiteCall(
          index: index, subgraph: try integer(secondOptions(21), 1), inputs: inputs,
          outputs: outputs))
    case .ifElse:
      let options = try options(92)
      return .control(
        TFLiteControl(
          subgraphs: [try integer(options, 0), try integer(options, 1)],
          node: Node(.branch(Branch()), inputs: inputs, outputs: outputs)))
    case .whileLoop:
      let options = try options(93)
      return .control(
        TFLiteControl(
          subgraphs: [try integer(options, 0), try integer(options, 1)],
          node: Node(.loop(Loop()), inputs: inputs, outputs: outputs)))
    default: return nil
    }
  }
}

extension TFLiteSubgraph {
  /// The operators of `callee` in the place of `call`; its values become values here.
  mutating func inlined(
    _ callee: TFLiteSubgraph, for call: TFLiteCall
  ) throws(TFLiteError) -> [TFLiteOperation] {
    guard callee.inputs.count == call.inputs.count, callee.outputs.count == call.outputs.count
    else {
      throw .callOperands(
        operator: call.index, inputs: call.inputs.count, outputs: call.outputs.count,
        expectedInputs: callee.inputs.count, expectedOutputs: callee.outputs.count)
    }
    let first = values.count
    var place = callee.values.indices.map { ValueID(first + $0) }
    for (formal, actual) in zip(callee.inputs, call.inputs) {
      guard let actual, place.indices.contains(formal.index) else { continue }
      place[formal.index] = actual
    }
    // A tensor that the callee does not have is none here either, and is refused with the graph.
    let renamed = { (id: ValueID) in
      place.indices.contains(id.index) ? place[id.index] : ValueID(-1)
    }
    values += callee.values
    variables += callee.variables.map(renamed)
    return callee.operations.map { $0.renamed(renamed) }
      + zip(call.outputs, callee.outputs).map { .alias($0, of: renamed($1)) }
  }
}

extension TFLiteOperation {
  /// The operator on other tensors.
  fileprivate func renamed(_ name: (ValueID) -> ValueID) -> TFLiteOperation {
    switch self {
    case .node(let node, let intermediates):
      .node(node.renamed(name), intermediates: intermediates.map(name))
    case .handle(let variable, let output): .handle(variable, output: name(output))
    case .read(let handle, let output, let index):
      .read(handle: name(handle), output: name(output), operator: index)
    case .assign(let handle, let value, let index):
      .assign(handle: name(handle), value: name(value), operator: index)
    case .initialize: self
    case .call(let call):
      .call(
        TFLiteCall(
          index: call.index, subgraph: call.subgraph, inputs: call.inputs.map { $0.map(name) },
          outputs: call.outputs.map(name)))
    case .control(let control):
      .control(TFLiteControl(subgraphs: control.subgraphs, node: control.node.renamed(name)))
    case .alias(let output, let source): .alias(name(output), of: name(source))
    case .composite(let composite): .composite(composite.renamed(name))
    case .decode(let codes, let table, let output, let index):
      .decode(codes: name(codes), table: name(table), output: name(output), operator: index)
    }
  }
}

extension Node {
  fileprivate func renamed(_ name: (ValueID) -> ValueID) -> Node {
    Node(operation, inputs: inputs.map { $0.map(name) }, outputs: outputs.map(name))
  }
}
