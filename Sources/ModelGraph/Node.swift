/// One operator applied to values.
package struct Node: Sendable {
  package var operation: Operator
  /// The operands in the order that the operator's parameter struct states; nil where an optional
  /// one is absent.
  package var inputs: [ValueID?]
  package var outputs: [ValueID]

  package init(_ operation: Operator, inputs: [ValueID?], outputs: [ValueID]) {
    self.operation = operation
    self.inputs = inputs
    self.outputs = outputs
  }

  /// The operand at `index`; nil when absent or not given.
  package func input(_ index: Int) -> ValueID? {
    index < inputs.count ? inputs[index] : nil
  }
}
