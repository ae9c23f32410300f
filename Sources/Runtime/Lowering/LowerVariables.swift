import KernelInterface
import MemoryPlanning
import ModelGraph
import Tensors

/// What a program keeps between inferences: bytes of the arena that nothing else ever uses.
struct StoredVariable: Sendable {
  var buffer: BufferID
  var byteCount: Int
  /// The bytes before the first inference; nil when all are `fill`.
  var initial: PackedID?
  var fill: UInt8
}

extension Lowering {
  /// Gives every variable a place of its own.
  mutating func makeVariables() throws(RuntimeError) {
    for variable in graph.variables {
      let buffer = try makeVariable(variable.current)
      variables.append(
        StoredVariable(
          buffer: buffer, byteCount: graph[variable.current].type.byteCount ?? 0,
          initial: variable.initial.map { pack(PackedConstant(copyOf: $0)) },
          fill: variable.fill))
    }
  }

  /// Ends the program: what the variables become is written over what they were.
  ///
  /// First what is still to be read in a variable's place is saved: outputs of the model, and what
  /// another variable becomes.
  mutating func storeVariables() throws(RuntimeError) {
    for output in graph.outputs where isKept(output) && !replacements.contains(output) {
      try save(output)
    }
    let changed = zip(graph.variables, variables).filter {
      $0.0.next != $0.0.current && !replacements.contains($0.0.next)
    }
    for (variable, _) in changed where isKept(variable.next) { try save(variable.next) }
    for (variable, stored) in changed {
      let next = source(variable.next)
      addCopy(
        StepDescription(
          operatorName: "variable", kernelName: "copyRows",
          outputName: graph[variable.current].name, multiplyAccumulates: 0,
          byteCount: 2 * stored.byteCount),
        from: next, to: stored.buffer, byteCount: stored.byteCount)
    }
    for variable in graph.variables { use(variable.current) }
  }

  /// Whether `next` is what the variable `current` becomes, and only the node that makes it reads `current`, so that it
  /// can be made in the variable's place.
  func isReplaced(_ current: ValueID, by next: ValueID) -> Bool {
    let isNext = graph.variables.contains { $0.current == current && $0.next == next }
    let uses = graph.variables.count { $0.next == current || $0.next == next }
    return isNext && uses == 1 && !graph.outputs.contains(current)
      && graph.nodes.reduce(0) { $0 + $1.inputs.count { $0 == current } } == 1
  }

  /// Lets `next` be made in the place of the variable `current`.
  mutating func replace(_ current: ValueID, by next: ValueID) throws(RuntimeError) {
    try alias(next, of: current)
    replacements.insert(next)
  }

  /// Copies a value out of a variable's place.
  private mutating func save(_ id: ValueID) throws(RuntimeError) {
    let byteCount = graph[id].type.byteCount ?? 0
    let old = source(id)
    let buffer = temporary(byteCount: byteCount, steps: 1)
    addCopy(
      StepDescription(
        operatorName: "variable", kernelName: "copyRows", outputName: graph[id].name,
        multiplyAccumulates: 0, byteCount: 2 * byteCount),
      from: old, to: buffer, byteCount: byteCount)
    move(id, to: buffer)
  }

  /// Adds a step that copies bytes.
  mutating func addCopy(
    _ description: StepDescription, from source: Source, to destination: BufferID, byteCount: Int
  ) {
    let kernel = table.copyRows
    add(
      Step(
        description: description,
        split: .whole(costNanoseconds: costNanoseconds(byteCount, perNanosecond: 16))
      ) { memory in
        let arguments = unsafe CopyRowsArguments(
          rows: 1, rowBytes: byteCount,
          input: UnsafeRawPointer(memory.address(source, as: UInt8.self)),
          inputStrideBytes: byteCount,
          output: UnsafeMutableRawPointer(memory.address(destination, as: UInt8.self)),
          outputStrideBytes: byteCount)
        return { _, _ in kernel(arguments) }
      })
  }
}
