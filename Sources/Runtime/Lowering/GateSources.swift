import KernelInterface

/// Where the constants of a float32 gate are.
struct GateSources: Sendable {
  var inputWeights: Source
  var recurrentWeights: Source
  var bias: Source
  var peephole: Source?
  var normalization: Source?

  func bound(_ memory: ProgramMemory) -> LSTMGateFloat32 {
    unsafe LSTMGateFloat32(
      inputWeights: memory.address(inputWeights),
      recurrentWeights: memory.address(recurrentWeights), bias: memory.address(bias),
      peephole: peephole.map { unsafe memory.address($0) },
      normalization: normalization.map { unsafe memory.address($0) })
  }
}
