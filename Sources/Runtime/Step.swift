/// One kernel call of a program, before it knows where its memory is.
struct Step: Sendable {
  /// The call with its addresses, for the units in `range`, by the thread of that index.
  typealias Body = (_ range: Range<Int>, _ thread: Int) -> Void

  var description: StepDescription
  var split: WorkSplit
  /// Gives the call its addresses; done once for each instance.
  var bind: @Sendable (ProgramMemory) -> Body
  /// What the step runs instead, when it runs programs of its own.
  var control: Control?

  init(
    description: StepDescription, split: WorkSplit,
    bind: @escaping @Sendable (ProgramMemory) -> Body
  ) {
    self.description = description
    self.split = split
    self.bind = bind
  }
}

/// How the work of a step may be shared between threads.
struct WorkSplit: Sendable, Equatable {
  /// Pieces that can be computed independently; 0 when there is nothing to do.
  var units: Int
  /// Ranges begin at multiples of this, so that no register tile is cut.
  var multiple: Int
  /// What the whole step takes on one thread, roughly.
  var costNanoseconds: Int

  /// Below this, a step is done before other threads could help.
  static let costWorthSharing = 10_000
  /// What one task takes at least, so that taking it is cheap beside doing it.
  private static let costOfTaskMinimum = 4_000

  init(units: Int, multiple: Int = 1, costNanoseconds: Int) {
    self.units = units
    self.multiple = max(multiple, 1)
    self.costNanoseconds = costNanoseconds
  }

  /// Work of one thread only.
  static func whole(costNanoseconds: Int) -> WorkSplit {
    WorkSplit(units: 1, costNanoseconds: costNanoseconds)
  }

  /// Units of one task for so many threads; all of them when sharing does not pay.
  func unitsPerTask(threads: Int) -> Int {
    guard threads > 1, units > multiple, costNanoseconds >= WorkSplit.costWorthSharing else {
      return max(units, 1)
    }
    // Twice as many tasks as threads evens out threads that are late.
    let tasks = min(2 * threads, costNanoseconds / WorkSplit.costOfTaskMinimum)
    let even = (units + tasks - 1) / tasks
    return (even + multiple - 1) / multiple * multiple
  }
}
