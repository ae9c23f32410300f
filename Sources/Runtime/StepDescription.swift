/// What one step of a program does, for people and for profiles.
package struct StepDescription: Sendable, Equatable {
  /// The operator's name, as `Operator.name`.
  package var operatorName: String
  /// The kernel that the step calls.
  package var kernelName: String
  /// The name of the step's first result in the model.
  package var outputName: String
  /// Multiply-accumulates of one run; 0 where the step multiplies nothing.
  package var multiplyAccumulates: Int
  /// Bytes of activations and weights that one run reads and writes, each counted once.
  package var byteCount: Int

  package init(
    operatorName: String, kernelName: String, outputName: String, multiplyAccumulates: Int,
    byteCount: Int
  ) {
    self.operatorName = operatorName
    self.kernelName = kernelName
    self.outputName = outputName
    self.multiplyAccumulates = multiplyAccumulates
    self.byteCount = byteCount
  }
}
