import ByteParsing
import ModelGraph
import Tensors

/// What a variable is known by in every subgraph.
struct TFLiteVariableName: Hashable {
  var container: String
  var name: String
}

/// An operator of the file on its way into the graph.
enum TFLiteOperation {
  /// A node; `intermediates` are tensors that have the codes of what it computes on its way.
  case node(Node, intermediates: [ValueID])
  /// Makes the handle of a variable.
  case handle(TFLiteVariableName, output: ValueID)
  case read(handle: ValueID, output: ValueID, operator: Int)
  case assign(handle: ValueID, value: ValueID, operator: Int)
  /// Gives variables their first elements, by the assignments of a subgraph.
  case initialize(subgraph: Int)
  /// Computes what a subgraph computes.
  case call(TFLiteCall)
  case control(TFLiteControl)
  /// Another name for a tensor.
  case alias(ValueID, of: ValueID)
  case composite(TFLiteComposite)
  /// Makes a constant of two others.
  case decode(codes: ValueID, table: ValueID, output: ValueID, operator: Int)

  /// Whether the operator makes its result out of the one before.
  var keepsItsResult: Bool {
    if case .composite(let composite) = self, case .shiftSlots = composite.kind { true } else { false }
  }

  /// What the operator makes.
  var outputs: [ValueID] {
    switch self {
    case .node(let node, _): node.outputs
    case .handle(_, let output): [output]
    case .read(_, let output, _): [output]
    case .assign, .initialize: []
    case .call(let call): call.outputs
    case .control(let control): control.node.outputs
    case .alias(let output, _): [output]
    case .composite(let composite): composite.outputs
    case .decode(_, _, let output, _): [output]
    }
  }
}

/// Puts operators together to a graph in which nothing changes: what reads a variable reads the
/// value that it has at that place.
struct TFLiteAssembly {
  private var values: [Value]
  private var nodes: [Node] = []
  private var subgraphs: [Graph] = []
  /// What follows the node that is added next.
  var later: Node?
  private let inputs: [ValueID]
  private let outputs: [ValueID]
  private var variables: [Variable]
  /// What stands for a tensor of the file from here on.
  private var latest: [ValueID: ValueID] = [:]
  private var names: [ValueID: TFLiteVariableName] = [:]
  private var initial: [TFLiteVariableName: ByteView] = [:]
  /// What a named variable is at this place, and its place among the variables once it was read.
  private var contents: [TFLiteVariableName: ValueID] = [:]
  private var places: [TFLiteVariableName: Int] = [:]

  /// Takes the subgraph's tensors; its operators are to be added.
  init(_ subgraph: TFLiteSubgraph) {
    values = subgraph.values
    inputs = subgraph.inputs
    outputs = subgraph.outputs
    // Fresh tensors hold zero, in their own code where that is a byte.
    variables = subgraph.variables.map { id in
      let type = subgraph.values[id.index].type
      let zero = type.dataType == .int8 ? type.quantization?.zeroPoint ?? 0 : 0
      return Variable(current: id, next: id, fill: UInt8(truncatingIfNeeded: zero))
    }
  }

  /// What stands for a tensor of the file.
  func resolve(_ id: ValueID) -> ValueID { latest[id] ?? id }

  /// Takes the first elements of variables.
  mutating func initialize(_ elements: [TFLiteVariableName: ByteView]) {
    initial.merge(elements) { _, new in new }
  }

  mutating func add(_ operation: TFLiteOperation) throws(TFLiteError) {
    switch operation {
    case .node(let node, let intermediates):
      if let memory = try unrolledLSTM(node) {
        add(memory)
      } else {
        add(node, intermediates: intermediates)
      }
    case .handle(let name, let output): names[output] = name
    case .read(let handle, let output, let index):
      guard let name = names[handle], values.indices.contains(output.index) else {
        throw .variableHandle(operator: index)
      }
      latest[output] = contents[name] ?? firstRead(of: name, as: output)
    case .assign(let handle, let value, let index):
      guard let name = names[handle] else { throw .variableHandle(operator: index) }
      contents[name] = resolve(value)
    case .alias(let output, let source): alias(output, of: source)
    case .composite(let composite): try expand(composite)
    case .initialize, .call, .control, .decode: break
    }
  }

  /// Adds a node that runs graphs of its own.
  mutating func add(_ control: (node: Node, graphs: [Graph])) {
    var node = control.node
    let first = subgraphs.count
    subgraphs += control.graphs
    switch node.operation {
    case .loop: node.operation = .loop(Loop(condition: first, body: first + 1))
    default: node.operation = .branch(Branch(whenTrue: first, whenFalse: first + 1))
    }
    add(node, intermediates: [])
  }

  /// Makes the variable, whose elements before the inference are read here.
  private mutating func firstRead(of name: TFLiteVariableName, as output: ValueID) -> ValueID {
    places[name] = variables.count
    variables.append(Variable(current: output, next: output, initial: initial[name]))
    contents[name] = output
    return output
  }

  /// Adds the node of an operator, or of a part of one, with those before and behind it that it is made of.
  mutating func add(_ original: Node, intermediates: [ValueID]) {
    var node = original
    node.inputs = node.inputs.map { $0.map(resolve) }
    expand(&node)
    if case .recurrent(var parameters) = node.operation {
      for operand in parameters.stateOperands {
        // Without its state the node is refused by validation.
        guard let state = original.input(operand), let old = node.input(operand),
          values.indices.contains(old.index)
        else { continue }
        var next = values[old.index]
        next.constant = nil
        values.append(next)
        latest[state] = ValueID(values.count - 1)
        node.outputs.append(ValueID(values.count - 1))
      }
      if case .lstm(var lstm) = parameters {
        lstm.intermediates = intermediates.map { type($0)?.quantization }
        parameters = .lstm(lstm)
      }
      node.operation = .recurrent(parameters)
    }
    nodes.append(node)
    if let last = later {
      nodes.append(last)
      later = nil
    }
  }

  /// Adds a node that is made here.
  mutating func add(_ node: Node) { nodes.append(node) }

  /// Makes a value that the file does not have.
  mutating func append(_ type: TensorType, constant: ByteView? = nil) -> ValueID {
    values.append(Value(name: "", type: type, constant: constant))
    return ValueID(values.count - 1)
  }

  var valueCount: Int { values.count }

  /// Lets `output` be another name for `source`.
  mutating func alias(_ output: ValueID, of source: ValueID) {
    latest[output] = resolve(source)
  }

  /// Makes a variable, which begins with zeros unless it is told; it stays as it is until `update` says what it becomes.
  mutating func variable(
    _ type: TensorType, initial: ByteView? = nil, fill: UInt8 = 0
  ) -> ValueID {
    let variable = append(type)
    variables.append(
      Variable(current: variable, next: variable, initial: initial, fill: fill))
    return variable
  }

  /// Makes `next` what the variable is in the next inference; nodes that are added later read it already.
  mutating func update(_ variable: ValueID, to next: ValueID) { latest[variable] = next }

  /// Makes `result` what a new variable, which begins with zeros and is the node's last operand, is next time.
  mutating func keep(_ result: ValueID, as type: TensorType, operandOf node: inout Node) {
    let variable = variable(type)
    update(variable, to: result)
    node.inputs.append(variable)
  }

  /// The type of a tensor; nil for one that does not exist.
  func type(_ id: ValueID) -> TensorType? {
    values.indices.contains(id.index) ? values[id.index].type : nil
  }

  /// The graph of all that was added.
  func graph() -> Graph {
    var graph = Graph(
      values: values, nodes: nodes, inputs: inputs, outputs: outputs.map(resolve))
    graph.subgraphs = subgraphs
    graph.variables = variables
    for index in graph.variables.indices {
      graph.variables[index].next = resolve(graph.variables[index].current)
    }
    for (name, index) in places {
      if let value = contents[name] { graph.variables[index].next = value }
    }
    return graph
  }
}

extension TFLiteOperatorReader {
  /// An operator that names or changes a variable.
  func onVariables(
    inputs: [ValueID?], outputs: [ValueID]
  ) throws(TFLiteError) -> TFLiteOperation {
    switch builtin {
    case .callOnce: return .initialize(subgraph: try integer(options(103), 0))
    case .variableHandle:
      let options = try options(111)
      guard outputs.count == 1 else { throw .variableHandle(operator: index) }
      return try parsing { () throws(ParsingError) in
        .handle(
          TFLiteVariableName(
            container: try options?.string(0) ?? "", name: try options?.string(1) ?? ""),
          output: outputs[0])
      }
    case .readVariable:
      guard inputs.count == 1, outputs.count == 1, let handle = inputs[0] else {
        throw .variableHandle(operator: index)
      }
      return .read(handle: handle, output: outputs[0], operator: index)
    default:
      guard inputs.count == 2, let handle = inputs[0], let value = inputs[1] else {
        throw .variableHandle(operator: index)
      }
      return .assign(handle: handle, value: value, operator: index)
    }
  }
}
