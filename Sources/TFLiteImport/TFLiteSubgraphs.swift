import ByteParsing
import ModelGraph

/// One subgraph of a file, its operators in order.
struct TFLiteSubgraph {
  var values: [Value]
  var operations: [TFLiteOperation]
  var inputs: [ValueID]
  var outputs: [ValueID]
  var variables: [ValueID]
}

/// How far subgraphs that use other subgraphs have been followed.
struct TFLiteExpansion {
  fileprivate var depth = 0
  fileprivate var operators = 0
  /// Subgraphs as the file has them, each read once.
  fileprivate var read: [Int: TFLiteSubgraph] = [:]
}

/// The subgraphs of a file, which may use one another.
struct TFLiteSubgraphs {
  let tables: [FlatBufferTable]
  let buffers: TFLiteBuffers
  private let codes: TFLiteOperatorCodes

  init(file: ByteView, model: FlatBufferTable) throws(TFLiteError) {
    tables = try parsing { () throws(ParsingError) in
      try model.tables(TFLiteSchema.Model.subgraphs, limit: TFLiteLimits.subgraphsMaximum)
    }
    buffers = TFLiteBuffers(
      file: file,
      tables: try parsing { () throws(ParsingError) in
        try model.tables(TFLiteSchema.Model.buffers, limit: TFLiteLimits.buffersMaximum)
      })
    codes = try TFLiteOperatorCodes(of: model)
  }

  /// Subgraph `index`; the subgraphs that it calls are put in the calls' places.
  func expanded(
    _ index: Int, _ expansion: inout TFLiteExpansion
  ) throws(TFLiteError) -> TFLiteSubgraph {
    var result: TFLiteSubgraph
    if let read = expansion.read[index] {
      result = read
    } else {
      result = try subgraph(index)
      expansion.read[index] = result
    }
    expansion.depth += 1
    defer { expansion.depth -= 1 }
    guard expansion.depth <= TFLiteLimits.subgraphDepthMaximum else {
      throw .subgraphDepth(limit: TFLiteLimits.subgraphDepthMaximum)
    }
    expansion.operators += result.operations.count
    // A subgraph that calls another one twice, and so on, would grow beyond any file.
    guard expansion.operators <= TFLiteLimits.expandedOperatorsMaximum else {
      throw .expandedOperators(limit: TFLiteLimits.expandedOperatorsMaximum)
    }
    var operations: [TFLiteOperation] = []
    for operation in result.operations {
      guard case .call(let call) = operation else {
        operations.append(operation)
        continue
      }
      let callee = try expanded(call.subgraph, &expansion)
      operations += try result.inlined(callee, for: call)
    }
    result.operations = operations
    return result
  }

  /// The node of an operator that runs subgraphs.
  func node(
    of control: TFLiteControl, _ expansion: inout TFLiteExpansion
  ) throws(TFLiteError) -> (node: Node, graphs: [Graph]) {
    var graphs: [Graph] = []
    for index in control.subgraphs { graphs.append(try graph(index, &expansion)) }
    return (control.node, graphs)
  }

  /// Subgraph `index` as a graph of its own, which keeps nothing from one inference to the next.
  private func graph(
    _ index: Int, _ expansion: inout TFLiteExpansion
  ) throws(TFLiteError) -> Graph {
    let subgraph = try expanded(index, &expansion)
    guard subgraph.variables.isEmpty else { throw .variablesInSubgraph(index: index) }
    expansion.depth += 1
    defer { expansion.depth -= 1 }
    var assembly = TFLiteAssembly(subgraph)
    for operation in subgraph.operations {
      switch operation {
      case .node, .alias, .composite: try assembly.add(operation)
      case .control(let control): assembly.add(try node(of: control, &expansion))
      default: throw .variablesInSubgraph(index: index)
      }
    }
    var graph = assembly.graph()
    graph.settleElementTypes()
    graph.recognizeListWrites()
    return graph
  }

  /// The elements that the variables are given in subgraph `index`, which may do nothing else.
  func initialElements(of index: Int) throws(TFLiteError) -> [TFLiteVariableName: ByteView] {
    let subgraph = try subgraph(index)
    var names: [ValueID: TFLiteVariableName] = [:]
    var elements: [TFLiteVariableName: ByteView] = [:]
    for operation in subgraph.operations {
      switch operation {
      case .handle(let name, let output): names[output] = name
      case .assign(let handle, let value, _):
        guard let name = names[handle], subgraph.values.indices.contains(value.index),
          let constant = subgraph.values[value.index].constant
        else { throw .variableInitialization(subgraph: index) }
        elements[name] = constant
      default: throw .variableInitialization(subgraph: index)
      }
    }
    return elements
  }

  /// Subgraph `index` as the file has it.
  private func subgraph(_ index: Int) throws(TFLiteError) -> TFLiteSubgraph {
    guard tables.indices.contains(index) else {
      throw .subgraphOutOfRange(index: index, count: tables.count)
    }
    let table = tables[index]
    let operations = try operations(of: table)
    let inputs = try ids(table, TFLiteSchema.Subgraph.inputs)
    var subgraph = TFLiteSubgraph(
      values: [], operations: operations, inputs: inputs,
      outputs: try ids(table, TFLiteSchema.Subgraph.outputs), variables: [])
    let kept = operations.filter(\.keepsItsResult).flatMap(\.outputs)
    try readValues(
      of: table, inputs: Set(inputs), computed: Set(operations.flatMap(\.outputs)),
      kept: Set(kept), into: &subgraph)
    return subgraph
  }

  private func operations(of subgraph: FlatBufferTable) throws(TFLiteError) -> [TFLiteOperation] {
    typealias Schema = TFLiteSchema.Operator
    let operators = try parsing { () throws(ParsingError) in
      try subgraph.tables(TFLiteSchema.Subgraph.operators, limit: TFLiteLimits.operatorsMaximum)
    }
    let builtins = try codes.builtins(of: operators)
    var operations: [TFLiteOperation] = []
    for (index, (table, builtin)) in zip(operators, builtins).enumerated() {
      let operands = try indices(table, Schema.inputs)
      let reader = TFLiteOperatorReader(
        index: index, builtin: builtin, table: table, operandCount: operands.count)
      let inputs = operands.map { $0 == -1 ? nil : ValueID($0) }
      let outputs = try ids(table, Schema.outputs)
      if let operation = try reader.onSubgraphs(inputs: inputs, outputs: outputs) {
        operations.append(operation)
      } else if let composite = try reader.composite(inputs: inputs, outputs: outputs) {
        operations.append(.composite(composite))
      } else if builtin.isOnVariables {
        operations.append(try reader.onVariables(inputs: inputs, outputs: outputs))
      } else if builtin == .decode || builtin == .densify {
        operations += try reader.onConstants(inputs: inputs, outputs: outputs)
      } else {
        let intermediates = try ids(table, Schema.intermediates)
        for node in try reader.nodes(inputs, outputs: outputs) {
          operations.append(.node(node, intermediates: intermediates))
        }
      }
    }
    return operations
  }

  private func readValues(
    of table: FlatBufferTable, inputs: Set<ValueID>, computed: Set<ValueID>,
    kept: Set<ValueID>, into subgraph: inout TFLiteSubgraph
  ) throws(TFLiteError) {
    let tensors = try parsing { () throws(ParsingError) in
      try table.tables(TFLiteSchema.Subgraph.tensors, limit: TFLiteLimits.tensorsMaximum)
    }
    subgraph.values.reserveCapacity(tensors.count)
    for (index, tensor) in tensors.enumerated() {
      let id = ValueID(index)
      let origin: TFLiteTensorReader.Origin =
        inputs.contains(id)
        ? .input : kept.contains(id) ? .kept : computed.contains(id) ? .computed : .stored
      let reader = TFLiteTensorReader(
        index: index, table: tensor, tensors: tensors, buffers: buffers, origin: origin)
      subgraph.values.append(try reader.read())
      if try reader.isVariable() { subgraph.variables.append(id) }
    }
    try subgraph.decodeConstants()
  }

  private func indices(_ table: FlatBufferTable, _ field: Int) throws(TFLiteError) -> [Int] {
    try parsing { () throws(ParsingError) in try table.integers(field, as: Int32.self) }?
      .map { Int($0) } ?? []
  }

  private func ids(_ table: FlatBufferTable, _ field: Int) throws(TFLiteError) -> [ValueID] {
    try indices(table, field).map { ValueID($0) }
  }
}
