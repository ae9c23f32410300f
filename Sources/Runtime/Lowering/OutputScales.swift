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
    let isUnsigned = product.node.input(1).map { graph[$0].type.dataType == .uint8 } ?? false
    var isFullyConnected = false
    if case .fullyConnected = product.node.operation { isFullyConnected = true }
    let multipliesNarrowly = weights.count == 1 && (isUnsigned || isFullyConnected)
    return weights.map { weight in
      let ratio = multipliesNarrowly ? Double(input * weight) : Double(input) * Double(weight)
      return OutputScale(ratio / Double(output), roundsTwice: isUnsigned || !isFullyConnected)
    }
  }
}

extension ByteView {
  /// A copy of uint8 codes as int8 codes, or the other way: each less or more 128.
  var withHighBitsFlipped: ByteView { ByteView(array.map { $0 ^ 0x80 }) }
}
