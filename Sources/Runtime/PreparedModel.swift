import Glibc
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
  /// Whether some shapes follow from values that the model computes; those outputs then have shapes with
  /// −1 in `outputs`, and an instance tells their extents.
  package var isDeferred: Bool { deferral != nil }
  let program: Program
  let deferral: Deferral?
  let threads: Int
  private let weights: PackedWeights
  private let isLent: Bool

  /// Packs the weights into `memory.weightsBytes` of anonymous memory, unless there are some already.
  ///
  /// - Parameters:
  ///   - weights: those of `plan`.
  ///   - lender: a model that holds the weights of `plan` and lends them.
  package init(
    _ plan: Plan, weights: PackedWeights? = nil, sharing lender: PreparedModel? = nil
  ) throws(RuntimeError) {
    isLent = lender != nil
    inputs = plan.inputs
    outputs = plan.outputs
    signatures = plan.signatures
    memory = plan.memory
    kernels = plan.kernels
    steps = plan.steps
    program = plan.program
    deferral = plan.deferral
    threads = plan.threads
    if let weights = weights ?? lender?.weights {
      self.weights = weights
    } else {
      self.weights = try PackedWeights(packing: plan)
    }
  }

  /// Where the packed weights lie.
  var weightsPlace: PackedWeights.Place { weights.place }

  /// Whether `plan` packs exactly the bytes that this model holds, at the same places.
  ///
  /// - Throws: `outOfMemory` when the largest of its constants does not fit beside this model.
  package func holdsWeights(of plan: Plan) throws(RuntimeError) -> Bool {
    guard plan.program.packedOffsets == program.packedOffsets,
      plan.memory.weightsBytes == memory.weightsBytes
    else { return false }
    let constant = try Arena(byteCount: plan.largestConstantBytes)
    return zip(plan.packed, plan.program.packedOffsets).allSatisfy { packed, offset in
      // Sound: the arena holds the largest constant, and the weights of this model end as the plan's.
      unsafe packed.write(constant.start)
      return unsafe memcmp(constant.start, weightsPlace.address(offset), packed.byteCount) == 0
    }
  }

  /// Whether weights could not be read from their file, so that inferences mean nothing.
  package var isTorn: Bool { weights.isTorn }

  /// Bytes of anonymous memory that the model holds itself.
  package var allocatedBytes: Int { isLent ? 0 : weights.anonymousBytes }
}
