import MemoryPlanning

/// The program of a graph that a step runs, within the arena of the program around it.
struct NestedProgram: Sendable {
  /// Where a buffer of the nested program lies in the program around it.
  enum Place: Sendable {
    /// So many bytes into the block that all nested programs of the step share.
    case inBlock(offset: Int)
    /// In a buffer of the program around it.
    case outside(BufferID)
  }

  var steps: [Step]
  var places: [Place]
  /// The first of the nested program's constants among those of the program around it.
  var firstPacked: Int
  var outputs: [Source]

  /// The nested program's addresses, of those of the program around it.
  func memory(in outer: ProgramMemory, block: BufferID) -> ProgramMemory {
    let start = outer.bufferOffsets[block.index]
    let offsets = places.map { place in
      switch place {
      case .inBlock(let offset): start + offset
      case .outside(let buffer): outer.bufferOffsets[buffer.index]
      }
    }
    // Sound: the offsets lie within the outer arena, where the plan keeps the block and the buffers.
    return unsafe ProgramMemory(
      arena: outer.arena, scratch: outer.scratch,
      scratchBytesPerThread: outer.scratchBytesPerThread, weights: outer.weights,
      bufferOffsets: offsets, packedOffsets: Array(outer.packedOffsets[firstPacked...]))
  }
}

/// What a step does that runs programs of its own.
struct Control: Sendable {
  enum Kind: Sendable {
    /// Runs the second program as long as the first one's output says so.
    case loop(limit: Int)
    /// Runs the first program where the condition holds, else the second.
    case branch(condition: Source)
  }

  var kind: Kind
  var programs: [NestedProgram]
  /// The bytes that all of the programs share, one after the other.
  var block: BufferID
  /// What is copied before anything runs.
  var entries: [Copy]
  /// For each program of a branch, what is copied after it.
  var exits: [[Copy]]

  /// Bytes from an operand, or from an output of a nested program, to a buffer.
  struct Copy: Sendable {
    var source: Source
    var destination: BufferID
    var byteCount: Int
  }
}

/// A control step with its addresses.
///
/// Sound for the reasons of the program around it: every address lies in a block that the instance keeps.
@safe final class BoundControl {
  @safe private struct BoundCopy {
    let source: UnsafePointer<UInt8>
    let destination: UnsafeMutablePointer<UInt8>
    let byteCount: Int

    func run() {
      // Operand and buffer may be the same bytes.
      unsafe UnsafeMutableRawPointer(destination).copyMemory(from: source, byteCount: byteCount)
    }
  }

  /// Iterations of a loop at most; nil for a branch.
  private let limit: Int?
  /// What decides: the output of a loop's first program, or the operand of a branch.
  private let condition: UnsafePointer<UInt8>
  private let programs: [BoundProgram]
  private let entries: [BoundCopy]
  private let exits: [[BoundCopy]]

  init(_ control: Control, memory: ProgramMemory, threads: Int) {
    let memories = control.programs.map { $0.memory(in: memory, block: control.block) }
    programs = zip(control.programs, memories).map { program, memory in
      BoundProgram(program.steps, memory: memory, threads: threads)
    }
    switch control.kind {
    case .loop(let limit):
      self.limit = limit
      unsafe condition = memories[0].address(control.programs[0].outputs[0])
    case .branch(let condition):
      limit = nil
      unsafe self.condition = memory.address(condition)
    }
    entries = control.entries.map { copy in
      unsafe BoundCopy(
        source: memory.address(copy.source), destination: memory.address(copy.destination),
        byteCount: copy.byteCount)
    }
    exits = zip(control.exits, memories).map { copies, nested in
      copies.map { copy in
        unsafe BoundCopy(
          source: nested.address(copy.source), destination: memory.address(copy.destination),
          byteCount: copy.byteCount)
      }
    }
  }

  /// Runs to the end; false when a loop went on beyond its limit and was ended.
  func run(_ pool: ComputePool?) -> Bool {
    for index in 0..<entries.count { entries[index].run() }
    guard let limit else {
      let taken = unsafe condition.pointee != 0 ? 0 : 1
      guard run(program: taken, pool) else { return false }
      for index in 0..<exits[taken].count { exits[taken][index].run() }
      return true
    }
    var iterations = 0
    guard run(program: 0, pool) else { return false }
    while unsafe condition.pointee != 0 {
      guard iterations < limit, run(program: 1, pool), run(program: 0, pool) else { return false }
      iterations += 1
    }
    return true
  }

  private func run(program: Int, _ pool: ComputePool?) -> Bool { programs[program].run(pool) }
}
