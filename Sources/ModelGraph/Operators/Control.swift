/// Repeats a graph for as long as another one says so.
///
/// Inputs: the values before the first iteration. Outputs: the values after the last one, of the
/// same types and shapes. Both graphs take them as their inputs.
package struct Loop: Sendable, Equatable {
  /// The place in `Graph.subgraphs` of the graph whose one output, a bool, says whether to go on.
  package var condition: Int
  /// The place of the graph whose outputs are its inputs of the next iteration.
  package var body: Int

  package init(condition: Int = 0, body: Int = 0) {
    self.condition = condition
    self.body = body
  }
}

/// Runs one of two graphs.
///
/// Inputs: a bool, and the inputs of both graphs. Outputs: those of the graph that was run; both
/// have the same types and shapes.
package struct Branch: Sendable, Equatable {
  /// The place in `Graph.subgraphs` of the graph for a true condition.
  package var whenTrue: Int
  /// The place of the graph for a false one.
  package var whenFalse: Int

  package init(whenTrue: Int = 0, whenFalse: Int = 0) {
    self.whenTrue = whenTrue
    self.whenFalse = whenFalse
  }
}
