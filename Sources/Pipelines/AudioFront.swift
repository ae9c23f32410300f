import Glibc
import KernelInterface
import ModelGraph
import Serving
import Tensors

/// The audio step of a pipeline, as one program of the operators that models have.
struct AudioFront: FrontEnd {
  static let inputName = "audio"

  let step: AudioStep
  private let stage: Stage

  init(_ step: AudioStep, table: KernelTable) throws(PipelineError) {
    self.step = step
    stage = try Stage(Self.graph(step), table: table, step: 0)
  }

  var stages: [Stage] { [stage] }
  var output: TensorType { stage.output }

  var input: TensorSpecification {
    TensorSpecification(
      name: Self.inputName,
      type: TensorType(
        step.source == .int16 ? .int16 : .float32, Shape([1, step.samples])),
      signatureShape: Shape([-1, step.samples]))
  }

  func count(of tensor: NamedTensor, maximum: Int) throws(ServingError) -> Int {
    let shape = tensor.shape
    guard [1, 2].contains(shape.rank), shape[shape.rank - 1] == step.samples,
      let elements = shape.elementCount, elements > 0
    else {
      throw .wrongShape(
        input: tensor.name, expected: input.signatureShape, actual: tensor.shape)
    }
    let count = elements / step.samples
    guard count <= maximum else { throw .batchTooLarge(limit: maximum, actual: count) }
    let expected = tensor.dataType.byteCount(of: elements) ?? 0
    guard tensor.bytes.count == expected else {
      throw .wrongByteCount(input: tensor.name, expected: expected, actual: tensor.bytes.count)
    }
    return count
  }

  func rows(of tensor: NamedTensor, count: Int) -> [UInt8] {
    stage.run(tensor.bytes, rows: count)
  }

  // MARK: The graph

  private static func graph(_ step: AudioStep) -> Graph {
    let (frames, length, bins) = (step.frames, step.frameLength, step.transform / 2 + 1)
    var builder = GraphBuilder(
      input: TensorType(step.source == .int16 ? .int16 : .float32, Shape([1, step.samples])))
    if step.source == .int16 {
      builder.apply(.cast, to: TensorType(.float32, builder.type.shape))
    }
    let places = (0..<frames).flatMap { frame in
      (0..<length).map { Int32(frame * step.frameStep + $0) }
    }
    builder.apply(
      .gather(Gather(axis: 1)), [builder.constant(places, Shape([frames, length]))],
      to: TensorType(.float32, Shape([1, frames, length])))
    // The scale of codes is part of the window.
    let unit = step.source == .int16 ? 1.0 / 32768 : 1
    let window = (0..<length).map { index in
      Float(unit * (0.5 - 0.5 * cos(2 * Double.pi * Double(index) / Double(length))))
    }
    builder.apply(
      .binary(Binary(kind: .multiply)), [builder.constant(window, Shape([length]))],
      to: builder.type)
    // The transform is one of two axes; the other one has a single element.
    builder.reshape(Shape([frames, 1, length]))
    builder.apply(
      .spectrum, [builder.constant([1, Int32(step.transform)], Shape([2]))],
      to: TensorType(.complex64, Shape([frames, 1, bins])))
    builder.apply(
      .complexPart(.magnitude), to: TensorType(.float32, Shape([frames, 1, bins])))
    if step.power == 2 { builder.apply(.unary(Unary(kind: .square)), to: builder.type) }
    builder.reshape(Shape([frames, bins]))
    if step.features != .spectrogram { bands(step, bins, &builder) }
    builder.reshape(Shape([1, frames, builder.type.shape[1]]))
    return builder.finished()
  }

  private static func bands(_ step: AudioStep, _ bins: Int, _ builder: inout GraphBuilder) {
    product(melWeights(step, bins), step.bands, &builder)
    guard step.features != .mel else { return }
    builder.apply(
      .binary(Binary(kind: .add)), [builder.constant([step.offset], Shape([1]))],
      to: builder.type)
    builder.apply(.unary(Unary(kind: .logarithm)), to: builder.type)
    guard step.features == .mfcc else { return }
    product(cosines(step), step.coefficients, &builder)
  }

  /// Multiplies every row by a matrix `[count, width]`.
  private static func product(_ weights: [Float], _ count: Int, _ builder: inout GraphBuilder) {
    let (rows, width) = (builder.type.shape[0], builder.type.shape[1])
    builder.apply(
      .fullyConnected(FullyConnected()), [builder.constant(weights, Shape([count, width]))],
      to: TensorType(.float32, Shape([rows, count])))
  }

  /// The weight of each bin in each band: triangles whose corners are equally far apart in mel, up to
  /// the corner before them and down to the one after. The lowest bin, which is no tone, has none.
  ///
  /// Source: `tf.signal.linear_to_mel_weight_matrix`, transposed.
  private static func melWeights(_ step: AudioStep, _ bins: Int) -> [Float] {
    func mel(_ hertz: Double) -> Double { 1127 * log(1 + hertz / 700) }
    let (low, high) = (mel(Double(step.lowestHertz)), mel(Double(step.highest)))
    let corners = (0..<step.bands + 2).map {
      low + (high - low) * Double($0) / Double(step.bands + 1)
    }
    return (0..<step.bands).flatMap { band in
      (0..<bins).map { bin -> Float in
        guard bin > 0 else { return 0 }
        let place = mel(
          Double(bin) * Double(step.sampleRate) / 2 / Double(bins - 1))
        let up = (place - corners[band]) / (corners[band + 1] - corners[band])
        let down = (corners[band + 2] - place) / (corners[band + 2] - corners[band + 1])
        return Float(max(0, min(up, down)))
      }
    }
  }

  /// The cosine transform, type II, orthonormal but for the first coefficient, which has the scale of
  /// the others.
  ///
  /// Source: `tf.signal.mfccs_from_log_mel_spectrograms`.
  private static func cosines(_ step: AudioStep) -> [Float] {
    let scale = sqrt(2 / Double(step.bands))
    return (0..<step.coefficients).flatMap { coefficient in
      (0..<step.bands).map { band in
        Float(
          scale * cos(Double.pi * Double(coefficient) * (Double(band) + 0.5) / Double(step.bands)))
      }
    }
  }
}
