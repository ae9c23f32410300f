package import ModelGraph
package import Tensors

/// A model ready to run: its weights packed for this processor, and its program. Immutable, shared by instances.
///
/// Constants that the program reads in place keep the mapped model file alive; nothing else does.
package final class PreparedModel: Sendable {
  /// The model's inputs in its own order, with the shapes planned for.
  package let inputs: [TensorSpecification]
  /// The model's outputs in its own order, with the shapes planned for.
  package let outputs: [TensorSpecification]
  package let signatures: [Signature]
  /// What this model and each of its instances take.
  package let memory: MemoryNeeds
  /// The name of the kernel table that the program calls.
  package let kernels: String
  /// What the program does, step by step.
  package let steps: [StepDescription]
  /// Whether an inference depends on those before it on the same instance.
  package var isStateful: Bool { !program.variables.isEmpty }
  let program: Program
  let threads: Int
  private let weights: Arena

  /// Allocates `memory.weightsBytes` and packs the weights into them.
  package init(_ plan: Plan) throws(RuntimeError) {
    inputs = plan.inputs
    outputs = plan.outputs
    signatures = plan.signatures
    memory = plan.memory
    kernels = plan.kernels
    steps = plan.steps
    program = plan.program
    threads = plan.threads
    weights = try Arena(byteCount: plan.memory.weightsBytes)
    for (constant, offset) in zip(plan.packed, plan.program.packedOffsets) {
      // Sound: the plan laid the constants out within the bytes of the arena.
      unsafe constant.write(weights.start + offset)
    }
  }

  /// The first byte of the packed weights, which nothing writes any more.
  @unsafe var weightsStart: UnsafeMutableRawPointer { unsafe weights.start }

  /// Bytes of anonymous memory that the model holds itself.
  package var allocatedBytes: Int { weights.byteCount }
}
