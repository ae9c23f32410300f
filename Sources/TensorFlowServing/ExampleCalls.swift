package import Serving
package import Tensors

extension SignatureDescription {
  /// The output that `call` answers with; nil when the signature has none that fits.
  ///
  /// A classification takes scores of shape `[rows, classes]`, a regression one value of each row. A
  /// signature of several outputs names them `scores` and `outputs`, as TensorFlow does.
  package func exampleOutput(for call: Endpoint.Call) -> TensorSpecification? {
    let usual: String
    switch call {
    case .predict: return nil
    case .classify: usual = "scores"
    case .regress: usual = "outputs"
    }
    let named = outputs.count == 1 ? outputs[0] : outputs.first { $0.name == usual }
    guard let output = named, !output.type.shape.extents.isEmpty, output.type.shape[0] == 1,
      let count = output.type.shape.elementCount
    else { return nil }
    switch output.type.dataType {
    case .float16, .int4, .complex64, .string: return nil
    default:
      let fits = call == .classify ? output.type.shape.rank == 2 && count > 0 : count == 1
      return fits ? output : nil
    }
  }
}

extension SignatureDescription {
  /// What answers beside `output`: the names of the classes, where they come with the scores.
  package func exampleOutputNames(with output: TensorSpecification) -> [String] {
    let classes = outputs.first {
      $0.name == classesOutput && $0.type.dataType == .string
        && $0.type.shape == output.type.shape
    }
    return [output.name] + (classes.map { [$0.name] } ?? [])
  }
}

/// TensorFlow's name for the output with the names of the classes.
private let classesOutput = "classes"

/// The name and the score of a class.
package struct ClassScore: Sendable, Equatable {
  package var label: String
  package var score: Float
}

/// The classes of each row of the scores, in their order.
///
/// - Parameter labels: The names of the classes, where they do not come with the scores; where the model has others, or none, they are
///   numbered.
package func classifications(
  _ response: InferenceResponse, labels: [String]
) -> [[ClassScore]] {
  guard let output = response.outputs.first, output.shape.rank == 2 else { return [] }
  let (rows, classes) = (output.shape[0], output.shape[1])
  let names = response.outputs.first { $0.name == classesOutput && $0.shape == output.shape }
    .flatMap { StringElements.strings($0.bytes, count: rows * classes) }
  let areLabels = labels.count == classes
  func score(_ row: Int, _ index: Int) -> ClassScore {
    let place = row * classes + index
    let label = names.map { $0[place] } ?? (areLabels ? labels[index] : String(index))
    return ClassScore(label: label, score: Float(output.number(at: place)))
  }
  return (0..<rows).map { row in (0..<classes).map { index in score(row, index) } }
}

/// The value of each row of the only output.
package func regressions(_ response: InferenceResponse) -> [Float] {
  guard let output = response.outputs.first else { return [] }
  return (0..<(output.shape.elementCount ?? 0)).map { Float(output.number(at: $0)) }
}

extension Shape {
  /// The shape of `rows` tensors behind one another along the leading axis.
  package func repeated(rows: Int) -> Shape {
    guard let leading = extents.first else { return self }
    return Shape([leading * rows] + extents.dropFirst())
  }
}
