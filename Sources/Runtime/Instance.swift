import MemoryPlanning
package import Tensors

/// The memory of one inference at a time. Allocates nothing after its initialiser.
///
/// One thread at a time may use it; a second one traps. Write every input before each run: a run may reuse the
/// bytes of its inputs for what it computes. Outputs are valid until an input is written or a run begins.
@safe package final class Instance: @unchecked Sendable {
  package let model: PreparedModel
  private let pool: ComputePool?
  /// Activations, and behind them the scratch of each thread.
  private let block: Arena
  /// Whose block this instance works in, in place of its own.
  private let host: Instance?
  private let memory: ProgramMemory
  private let program: BoundProgram
  /// What runs after the program, when shapes follow from values that it computes.
  private let deferred: DeferredProgram?
  private let ownUse = ExclusiveUse()
  /// Whether the last run came to its end; false when a loop in the model went on beyond
  /// `GraphLimits.loopIterationsMaximum` and was ended, so that the outputs mean nothing.
  package private(set) var isComplete = true
  /// Why the last run was not, when it was for the shapes that its values give.
  package private(set) var failure: DeferralFailure?

  /// Allocates `memory.instanceBytes` of the model. Without a pool, runs on the caller's thread alone.
  ///
  /// - Parameter host: an instance whose memory this one works in, so that nothing is allocated; one
  ///   thread at a time may use either.
  /// - Precondition: the pool has no more threads than the plan was made for. The host is large enough,
  ///   has no host itself, and neither model keeps anything between inferences.
  package init(
    _ model: PreparedModel, pool: ComputePool? = nil, within host: Instance? = nil
  ) throws(RuntimeError) {
    precondition((pool?.threads ?? 1) <= model.threads)
    self.model = model
    self.pool = pool
    self.host = host
    if let host {
      precondition(model.memory.instanceBytes <= host.block.byteCount)
      precondition(!model.isStateful && !host.model.isStateful && host.host == nil)
      precondition(!model.isDeferred)
    }
    let ownBytes = model.memory.instanceBytes - model.memory.deferredBytes
    block = try Arena(byteCount: host == nil ? ownBytes : 0)
    let start = unsafe host?.block.start ?? block.start
    let program = model.program
    // Sound: the blocks have the sizes that the program's offsets were planned for.
    let memory = unsafe ProgramMemory(
      arena: start, scratch: start + (model.memory.arenaBytes - model.memory.deferredBytes),
      scratchBytesPerThread: program.scratchBytesPerThread, weights: model.weightsPlace,
      bufferOffsets: program.bufferOffsets, packedOffsets: program.packedOffsets)
    self.memory = memory
    let threads = pool?.threads ?? 1
    self.program = BoundProgram(program.steps, memory: memory, threads: threads)
    deferred = try model.deferral.map { (deferral) throws(RuntimeError) in
      try DeferredProgram(deferral, threads: threads)
    }
    reset()
  }

  /// Forgets the inferences before: gives every variable of the model its first elements.
  package func reset() {
    begin()
    defer { end() }
    for variable in model.program.variables {
      // Sound: the plan gave variable and constant this many bytes each.
      let place = unsafe UnsafeMutableRawPointer(memory.address(variable.buffer, as: UInt8.self))
      if let initial = variable.initial {
        unsafe place.copyMemory(
          from: memory.address(.packed(initial), as: UInt8.self), byteCount: variable.byteCount)
      } else {
        unsafe place.initializeMemory(
          as: UInt8.self, repeating: variable.fill, count: variable.byteCount)
      }
    }
  }

  /// Lends the bytes of input `index` for writing; they hold nothing of value before.
  package func withInput<R, E: Error>(
    _ index: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    begin()
    defer { end() }
    let input = model.program.inputs[index]
    guard case .buffer(let buffer) = input.source else {
      preconditionFailure("a model's input is a buffer")
    }
    // Sound: the plan gave the buffer this many bytes of the block.
    return try unsafe body(
      UnsafeMutableRawBufferPointer(
        start: memory.address(buffer, as: UInt8.self), count: input.byteCount))
  }

  /// The shape of output `index` after the last run; nil when that gave it none.
  package func shape(ofOutput index: Int) -> Shape? {
    deferred.map { $0.shape(ofOutput: index) } ?? model.outputs[index].type.shape
  }

  /// Lends the bytes of output `index` for reading; none when the last run gave it no shape.
  package func withOutput<R, E: Error>(
    _ index: Int, _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    begin()
    defer { end() }
    if let deferred { return try unsafe deferred.withOutput(index, body) }
    let output = model.program.outputs[index]
    // Sound: as for inputs; constants and packed bytes are as long as their value.
    return try unsafe body(
      UnsafeRawBufferPointer(
        start: memory.address(output.source, as: UInt8.self), count: output.byteCount))
  }

  /// Computes the outputs from the inputs.
  ///
  /// - Parameter isAlone: whether the caller's thread does all of it, and leaves the pool to others.
  package func run(alone isAlone: Bool = false) {
    begin()
    defer { end() }
    isComplete = program.run(isAlone ? nil : pool)
    if deferred != nil { runDeferred(isAlone ? nil : pool) }
  }

  /// Runs what follows the program.
  private func runDeferred(_ pool: ComputePool?) {
    guard let deferred else { return }
    failure = nil
    do throws(DeferralFailure) {
      isComplete =
        try deferred.run(after: memory, model.program.outputs, pool, if: isComplete)
    } catch {
      (isComplete, failure) = (false, error)
    }
  }

  /// Computes the outputs, and adds to `nanoseconds` what each step took.
  ///
  /// - Precondition: one element for each of the model's steps.
  package func runProfiled(_ nanoseconds: inout [UInt64]) {
    precondition(nanoseconds.count == program.count + (deferred == nil ? 0 : 1))
    begin()
    defer { end() }
    var isComplete = true
    var before = MonotonicClock.nanoseconds()
    for index in 0..<program.count {
      isComplete = program.run(step: index, pool) && isComplete
      let after = MonotonicClock.nanoseconds()
      nanoseconds[index] += after - before
      before = after
    }
    self.isComplete = isComplete
    guard deferred != nil else { return }
    runDeferred(pool)
    nanoseconds[program.count] += MonotonicClock.nanoseconds() - before
  }

  private func begin() { if let host { host.begin() } else { ownUse.begin() } }

  private func end() { if let host { host.end() } else { ownUse.end() } }

  /// Bytes of anonymous memory that the instance holds.
  package var allocatedBytes: Int { block.byteCount + (deferred?.byteCount ?? 0) }
}
