import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// How sums become codes, for each scale of the weights.
  ///
  /// - Source: TensorFlow Lite's reference kernels: a fully connected layer of int8 rounds once, all others twice; one
  ///   scale for all channels of a fully connected layer or of uint8 weights is multiplied in float32.
  func outputScales(
    _ product: Product, input: Float, weights: [Float], output: Float
  ) -> [OutputScale] {
    var isFullyConnected = false
    if case .fullyConnected = product.node.operation { isFullyConnected = true }
    let roundsTwice = !isFullyConnected || isUnsigned(product)
    return outputRatios(product, input: input, weights: weights, output: output).map { ratio in
      OutputScale(ratio, roundsTwice: roundsTwice)
    }
  }

  /// The products of the scales as the reference computes them, for each scale of the weights.
  func outputRatios(
    _ product: Product, input: Float, weights: [Float], output: Float
  ) -> [Double] {
    var isFullyConnected = false
    if case .fullyConnected = product.node.operation { isFullyConnected = true }
    let multipliesNarrowly = weights.count == 1 && (isUnsigned(product) || isFullyConnected)
    return weights.map { weight in
      let ratio = multipliesNarrowly ? Double(input * weight) : Double(input) * Double(weight)
      return ratio / Double(output)
    }
  }

  private func isUnsigned(_ product: Product) -> Bool {
    product.node.input(1).map { graph[$0].type.dataType == .uint8 } ?? false
  }
}

extension ByteView {
  /// A copy of uint8 codes as int8 codes, or the other way: each less or more 128.
  var withHighBitsFlipped: ByteView { ByteView(array.map { $0 ^ 0x80 }) }
}
