import MemoryPlanning
import ModelGraph
import Tensors

/// Nodes that run graphs of their own.
extension Lowering {
  mutating func lowerLoop(_ loop: Loop, _ node: Node) throws(RuntimeError) {
    let (condition, body) = (graph.subgraphs[loop.condition], graph.subgraphs[loop.body])
    var entries: [Control.Copy] = []
    var places: [BufferID?] = []
    for (index, output) in node.outputs.enumerated() {
      let operand = try operand(node, index)
      if body.inputs[index] == body.outputs[index] {
        // No iteration changes it.
        places.append(try place(of: operand, &entries))
        try alias(output, of: operand)
      } else {
        let source = source(operand)
        let place = try destination(output)
        entries.append(
          Control.Copy(
            source: source, destination: place, byteCount: graph[output].type.byteCount ?? 0))
        places.append(place)
      }
    }
    var control = Control(
      kind: .loop(limit: GraphLimits.loopIterationsMaximum), programs: [],
      block: temporary(byteCount: 0, steps: 0), entries: entries, exits: [])
    try nest(condition, places: places, outputs: condition.outputs, next: nil, into: &control)
    try nest(body, places: places, outputs: [], next: body.outputs, into: &control)
    addControl(control, node, "loop")
  }

  mutating func lowerBranch(_ branch: Branch, _ node: Node) throws(RuntimeError) {
    var entries: [Control.Copy] = []
    var places: [BufferID?] = []
    for index in node.inputs.indices.dropFirst() {
      places.append(try place(of: operand(node, index), &entries))
    }
    var control = Control(
      kind: .branch(condition: source(try operand(node, 0))), programs: [],
      block: temporary(byteCount: 0, steps: 0), entries: entries, exits: [])
    var destinations: [BufferID] = []
    for output in node.outputs { destinations.append(try destination(output)) }
    for choice in [branch.whenTrue, branch.whenFalse] {
      let chosen = graph.subgraphs[choice]
      try nest(chosen, places: places, outputs: chosen.outputs, next: nil, into: &control)
      let sources = control.programs[control.programs.count - 1].outputs
      control.exits.append(
        zip(zip(sources, destinations), node.outputs).map {
          Control.Copy(
            source: $0.0, destination: $0.1, byteCount: graph[$1].type.byteCount ?? 0)
        })
    }
    addControl(control, node, "branch")
  }

  /// The buffer of an operand that nested programs read; nil for what they know as a constant.
  private mutating func place(
    of operand: ValueID, _ entries: inout [Control.Copy]
  ) throws(RuntimeError) -> BufferID? {
    guard graph[operand].constant == nil else { return nil }
    let source = source(operand)
    if case .buffer(let buffer) = source { return buffer }
    let byteCount = graph[operand].type.byteCount ?? 0
    let copy = temporary(byteCount: byteCount, steps: 0)
    entries.append(Control.Copy(source: source, destination: copy, byteCount: byteCount))
    return copy
  }

  /// Lowers a graph whose inputs lie at `places`; with `next`, the program ends by writing these values there.
  private mutating func nest(
    _ subgraph: Graph, places: [BufferID?], outputs: [ValueID], next: [ValueID]?,
    into control: inout Control
  ) throws(RuntimeError) {
    var inner = subgraph
    inner.inputs = []
    inner.outputs = outputs
    var bound: [BufferID] = []
    for (index, input) in subgraph.inputs.enumerated() {
      guard let place = places[index] else { continue }
      // As variables, inputs have bytes that nothing else uses while the program runs.
      inner.variables.append(Variable(current: input, next: next?[index] ?? input))
      bound.append(place)
    }
    let lowering = try Lowering(
      inner, table: table, threads: threads, copiesConstants: copiesConstants)
    let program = NestedProgram(
      steps: lowering.steps, places: try lowering.nestedPlaces(bound, block: &buffers[control.block.index]),
      firstPacked: packed.count,
      outputs: outputs.compactMap { lowering.location(of: $0) })
    packed += lowering.packed
    nestedFileBytes += lowering.fileBackedBytes
    needScratch(bytesPerThread: lowering.scratchBytesPerThread)
    control.programs.append(program)
  }

  /// Where the buffers of this program lie when it is nested: variables at `outside`, and what is they under another
  /// name; everything else in a block, which is made large enough.
  private func nestedPlaces(
    _ outside: [BufferID], block: inout BufferRequest
  ) throws(RuntimeError) -> [NestedProgram.Place] {
    var owner = [BufferID?](repeating: nil, count: buffers.count)
    var requests = buffers
    for (variable, place) in zip(variables, outside) { owner[variable.buffer.index] = place }
    for index in requests.indices {
      if case .alias(let other) = requests[index].sharing { owner[index] = owner[other] }
      // What lies outside takes no bytes of the block.
      if owner[index] != nil { requests[index].byteCount = 0 }
    }
    let plan: MemoryPlan
    do {
      plan = try MemoryPlan(requests)
    } catch {
      throw .unplannable(error)
    }
    block.byteCount = max(block.byteCount, plan.byteCount)
    return buffers.indices.map { index in
      owner[index].map { .outside($0) } ?? .inBlock(offset: plan.offsets[index])
    }
  }

  private mutating func addControl(_ control: Control, _ node: Node, _ name: String) {
    let nested = control.programs.flatMap(\.steps)
    let counts = control.programs.map { "\($0.steps.count)" }.joined(separator: " + ")
    var step = Step(
      description: description(
        node, "\(name), \(counts) steps",
        multiplyAccumulates: nested.reduce(0) { $0 + $1.description.multiplyAccumulates }),
      split: .whole(costNanoseconds: 0)
    ) { _ in { _, _ in } }
    step.control = control
    add(step)
  }
}
