import CVector
import KernelInterface
import Tensors

/// A transposed convolution; `lines` counts lines of its output, `[n, h]` of the geometry's input.
func transposeConvolution(_ arguments: TransposeConvolutionArguments, _ lines: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  if case .float32 = arguments.type {
    unsafe gatherTaps(arguments, lines, Float.self, Float(0)) { $0 + $1 * $2 } _: { sum, channel in
      var value = sum
      if let bias = unsafe arguments.bias {
        value += unsafe bias.load(fromByteOffset: 4 &* channel, as: Float.self)
      }
      let bounds = arguments.floatBounds
      return value < bounds.minimum
        ? bounds.minimum : value > bounds.maximum ? bounds.maximum : value
    }
  } else {
    let (zeroPoint, bounds) = (arguments.inputZeroPoint, arguments.bounds)
    unsafe gatherTaps(arguments, lines, Int8.self, Int32(0)) {
      $0 &+ (Int32($1) &- zeroPoint) &* Int32($2)
    } _: { (sum: Int32, channel: Int) -> Int8 in
      var value = sum
      if let bias = unsafe arguments.bias {
        value &+= unsafe bias.load(fromByteOffset: 4 &* channel, as: Int32.self)
      }
      let scale = unsafe arguments.scales?[channel] ?? 1
      let steps = cv_round_even(Float(value) * scale) + Float(bounds.zeroPoint)
      let bounded = min(max(steps, Float(bounds.minimum)), Float(bounds.maximum))
      return Int8(truncatingIfNeeded: Int32(bounded))
    }
  }
}

/// Each output element sums over the taps that reach it.
@inline(__always)
@unsafe private func gatherTaps<T, A, R>(
  _ arguments: TransposeConvolutionArguments, _ lines: Range<Int>, _: T.Type, _ zero: A,
  _ add: (A, T, T) -> A, _ finish: (A, Int) -> R
) {
  // In the geometry's terms this operator's output is the input, and its input the output.
  let g = arguments.geometry
  let input = unsafe arguments.input.assumingMemoryBound(to: T.self)
  let weights = unsafe arguments.weights.assumingMemoryBound(to: T.self)
  var output = unsafe arguments.output.assumingMemoryBound(to: R.self)
    + lines.lowerBound &* g.inputWidth &* g.inputChannels
  var line = lines.lowerBound
  while line < lines.upperBound {
    let (image, y) = (line / g.inputHeight, line % g.inputHeight)
    var x = 0
    while x < g.inputWidth {
      var channel = 0
      while channel < g.inputChannels {
        var sum = zero
        var tap = 0
        while tap < g.taps {
          let fromY = y &+ g.paddingTop &- tap / g.kernelWidth
          let fromX = x &+ g.paddingLeft &- tap % g.kernelWidth
          let (row, column) = (fromY / g.strideHeight, fromX / g.strideWidth)
          let isReached = fromY >= 0 && fromX >= 0 && row &* g.strideHeight == fromY
            && column &* g.strideWidth == fromX && row < g.outputHeight && column < g.outputWidth
          if isReached {
            let pixel = unsafe input
              + ((image &* g.outputHeight &+ row) &* g.outputWidth &+ column) &* g.outputChannels
            let kernel = unsafe weights + (channel &* g.taps &+ tap) &* g.outputChannels
            var k = 0
            while k < g.outputChannels {
              sum = unsafe add(sum, pixel[k], kernel[k])
              k &+= 1
            }
          }
          tap &+= 1
        }
        unsafe output[channel] = finish(sum, channel)
        channel &+= 1
      }
      unsafe output += g.inputChannels
      x &+= 1
    }
    line &+= 1
  }
}
