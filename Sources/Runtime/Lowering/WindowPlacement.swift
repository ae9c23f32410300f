import ModelGraph
import Tensors

extension Window2D {
  /// Rows above and columns left of the input that the first window covers.
  func placement(
    input: Shape, kernelHeight: Int, kernelWidth: Int, output: Shape
  ) -> (top: Int, left: Int) {
    func half(_ input: Int, _ output: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> Int {
      max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - input) / 2
    }
    switch padding {
    case .valid: return (0, 0)
    case .explicit(let top, _, let left, _): return (top, left)
    case .same:
      return (
        half(input[1], output[1], kernelHeight, strideHeight, dilationHeight),
        half(input[2], output[2], kernelWidth, strideWidth, dilationWidth)
      )
    }
  }
}
