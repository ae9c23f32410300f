import Serving
import Tensors

/// The best classes of each row of a model's scores.
final class Ranking: Sendable {
  let count: Int
  let classes: Int
  let output: TensorSpecification
  private let labels: [String]

  /// - Throws: when the output holds no scores, or too few.
  init(
    _ top: TopStep, _ description: VersionDescription, step: Int
  ) throws(PipelineError) {
    let model = description.model
    let names = description.outputs.map(\.name)
    if let name = top.output {
      guard let found = description.outputs.first(where: { $0.name == name }) else {
        throw .noOutput(step: step, output: name, known: names)
      }
      output = found
    } else {
      guard description.outputs.count == 1 else {
        throw .severalOutputs(step: step, model: model, names: names)
      }
      output = description.outputs[0]
    }
    let type = output.type
    switch type.dataType {
    case .float32, .int8, .uint8, .int16: break
    default: throw .noScores(step: step, model: model, type: type)
    }
    // One row of the model; any other axes are of one class list.
    guard type.shape.rank >= 2, type.shape[0] == 1,
      type.shape.extents.dropFirst().filter({ $0 != 1 }).count <= 1,
      let classes = type.shape.elementCount, classes > 0
    else { throw .noScores(step: step, model: model, type: type) }
    guard top.count <= classes else {
      throw .tooFewClasses(step: step, model: model, wanted: top.count, classes: classes)
    }
    count = top.count
    self.classes = classes
    labels = description.labels.count == classes ? description.labels : []
  }

  /// Whether a class can be called so.
  func knows(_ label: String) -> Bool {
    guard labels.isEmpty else { return labels.contains(label) }
    return Int(label).map { (0..<classes).contains($0) && "\($0)" == label } ?? false
  }

  /// The best classes of a row, best first; equal scores keep the order of their classes, and NaN
  /// comes last.
  func best(_ tensor: NamedTensor, row: Int) -> [(label: String, score: Float)] {
    var best: [(index: Int, score: Float)] = []
    best.reserveCapacity(count + 1)
    for index in 0..<classes {
      let score = score(tensor, row * classes + index)
      if best.count == count, let last = best.last, !Self.precedes(score, last.score) { continue }
      let place = best.firstIndex { Self.precedes(score, $0.score) } ?? best.count
      best.insert((index, score), at: place)
      if best.count > count { best.removeLast() }
    }
    return best.map { (labels.isEmpty ? "\($0.index)" : labels[$0.index], $0.score) }
  }

  private static func precedes(_ score: Float, _ other: Float) -> Bool {
    score.isNaN ? false : other.isNaN || score > other
  }

  /// The number that an element stands for.
  private func score(_ tensor: NamedTensor, _ index: Int) -> Float {
    let number = Float(tensor.number(at: index))
    guard let quantization = output.type.quantization else { return number }
    return quantization.scale * (number - Float(quantization.zeroPoint))
  }
}
