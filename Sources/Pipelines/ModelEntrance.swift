import KernelInterface
import ModelGraph
import Serving
import Tensors

/// How what comes is given to a model: under its input's name, in its input's type.
final class ModelEntrance: Sendable {
  /// Place among the members of the pipeline.
  let member: Int
  let model: String
  let input: TensorSpecification
  /// Nil where what comes is what is taken.
  let stage: Stage?
  let step: Int

  /// - Parameters:
  ///   - offered: one row of what comes.
  ///   - prepared: what is done to it before it becomes codes.
  init(
    _ description: VersionDescription, member: Int, step: Int, offered: TensorType,
    table: KernelTable, prepared: (inout GraphBuilder) -> Void = { _ in }
  ) throws(PipelineError) {
    self.member = member
    self.step = step
    model = description.model
    guard description.inputs.count == 1 else {
      throw .severalInputs(step: step, model: model, count: description.inputs.count)
    }
    input = description.inputs[0]
    let misfit = PipelineError.misfit(
      step: step, model: model, offered: offered, expected: input.type)
    guard Self.fits(offered.shape, input.type.shape) else { throw misfit }
    var builder = GraphBuilder(input: offered)
    prepared(&builder)
    guard Self.converts(builder.type, to: input.type) else { throw misfit }
    builder.convert(to: input.type)
    stage = builder.isEmpty ? nil : try Stage(builder.finished(), table: table, step: step)
  }

  /// The same elements in the same order, but for axes of one element, or all of them in one axis.
  private static func fits(_ offered: Shape, _ wanted: Shape) -> Bool {
    guard offered.rank > 0, wanted.rank > 0, offered[0] == wanted[0] else { return false }
    let (from, to) = (offered.extents.dropFirst(), wanted.extents.dropFirst())
    if from.filter({ $0 != 1 }) == to.filter({ $0 != 1 }) { return true }
    return offered.elementCount == wanted.elementCount && (offered.rank == 2 || wanted.rank == 2)
  }

  private static func converts(_ offered: TensorType, to wanted: TensorType) -> Bool {
    if offered.dataType == wanted.dataType, offered.quantization == wanted.quantization {
      return true
    }
    func isConvertible(_ type: TensorType) -> Bool {
      switch type.dataType {
      case .float32: true
      case .int8, .uint8, .int16: type.quantization.map { !$0.isPerChannel } ?? false
      default: false
      }
    }
    return isConvertible(offered) && isConvertible(wanted)
  }

  /// The request for the model.
  func request(
    _ bytes: [UInt8], rows: Int, outputs: [String]?, _ terms: RequestTerms
  ) -> InferenceRequest {
    let given = stage.map { $0.run(bytes, rows: rows) } ?? bytes
    var shape = input.type.shape
    shape.extents[0] *= rows
    return InferenceRequest(
      inputs: [
        NamedTensor(name: input.name, dataType: input.type.dataType, shape: shape, bytes: given)
      ], outputNames: outputs, terms: terms)
  }
}
