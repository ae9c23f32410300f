/// Steps with their addresses, to be run one after the other. Allocates nothing after its initialiser.
@safe struct BoundProgram {
  private let steps: [BoundStep]
  /// The same, to be called without counting references, which takes longer than many a step.
  ///
  /// Sound because `steps` keeps them alive.
  private let uncounted: [Unmanaged<BoundStep>]

  init(_ steps: [Step], memory: ProgramMemory, threads: Int) {
    let bound = steps.map { BoundStep($0, memory: memory, threads: threads) }
    self.steps = bound
    unsafe uncounted = bound.map { unsafe Unmanaged.passUnretained($0) }
  }

  var count: Int { steps.count }

  /// False when a loop was ended before its end, after which nothing is run.
  func run(_ pool: ComputePool?) -> Bool {
    // By index: an unspecialised iterator, as in a build without optimisation, allocates for each element.
    for index in 0..<count where !run(step: index, pool) { return false }
    return true
  }

  @inline(__always)
  func run(step index: Int, _ pool: ComputePool?) -> Bool {
    unsafe uncounted[index]._withUnsafeGuaranteedRef { $0.run(pool) }
  }
}

/// A step with its addresses, cut into tasks.
final class BoundStep {
  private let units: Int
  private let tasks: Int
  private let body: Step.Body
  private let task: ComputePool.Task
  private let control: BoundControl?

  init(_ step: Step, memory: ProgramMemory, threads: Int) {
    control = step.control.map { BoundControl($0, memory: memory, threads: threads) }
    let body = step.bind(memory)
    let units = step.split.units
    let size = step.split.unitsPerTask(threads: threads)
    self.units = units
    self.body = body
    tasks = (units + size - 1) / size
    task = { task, thread in
      body(task * size..<min((task + 1) * size, units), thread)
    }
  }

  /// False when a loop was ended before its end.
  func run(_ pool: ComputePool?) -> Bool {
    if let control { return control.run(pool) }
    if tasks > 1, let pool {
      pool.run(tasks: tasks, task)
    } else if units > 0 {
      body(0..<units, 0)
    }
    return true
  }
}
