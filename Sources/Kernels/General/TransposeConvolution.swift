import KernelInterface
import Tensors

/// A transposed convolution; `lines` counts lines of its output, `[n, h]` of the geometry's input.
func transposeConvolution(_ arguments: TransposeConvolutionArguments, _ lines: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  if case .float32 = arguments.type {
    unsafe gatherTaps(arguments, lines, Float.self, Float.self, Float(0)) { _, sum, x, w in
      sum + x * w
    } _: { _, sum, channel in unsafe number(sum, channel, arguments) }
  } else if let wide = arguments.wide {
    unsafe gatherTaps(arguments, lines, Int16.self, Int8.self, Int64(0)) { _, sum, x, w in
      sum &+ Int64(Int32(x) &* Int32(w))
    } _: { (_: Int, sum: Int64, channel: Int) -> Int16 in
      let scale = unsafe wide.scales[channel]
      let product = unsafe (sum &+ wide.bias[channel]) &* Int64(scale.multiplier)
      let half: Int64 = 1 &<< Int64(scale.shift &- 1)
      return clampedInt16((product &+ half) &>> Int64(scale.shift), wide.minimum, wide.maximum)
    }
  } else if let dynamic = arguments.dynamic {
    let rowScales = unsafe dynamic.rowScales
    let (zeroPoints, weightScales) = unsafe (dynamic.rowZeroPoints, dynamic.weightScales)
    unsafe gatherTaps(arguments, lines, Int8.self, Int8.self, Int32(0)) { image, sum, x, w in
      unsafe sum &+ (Int32(x) &- zeroPoints[image]) &* Int32(w)
    } _: { (image: Int, sum: Int32, channel: Int) -> Float in
      let scale = unsafe rowScales[image] * weightScales[channel]
      return unsafe number(Float(sum) * scale, channel, arguments)
    }
  } else {
    let (zeroPoint, weightZeroPoint) = (arguments.inputZeroPoint, arguments.weightZeroPoint)
    unsafe gatherTaps(arguments, lines, Int8.self, Int8.self, Int32(0)) { _, sum, x, w in
      sum &+ (Int32(x) &- zeroPoint) &* (Int32(w) &- weightZeroPoint)
    } _: { (_: Int, sum: Int32, channel: Int) -> Int8 in
      unsafe code(sum, channel, arguments)
    }
  }
}

/// A sum with its bias, bounded.
@inline(__always)
@unsafe private func number(
  _ sum: Float, _ channel: Int, _ arguments: TransposeConvolutionArguments
) -> Float {
  var value = sum
  if let bias = unsafe arguments.bias {
    value += unsafe bias.load(fromByteOffset: 4 &* channel, as: Float.self)
  }
  let bounds = arguments.floatBounds
  return value < bounds.minimum ? bounds.minimum : value > bounds.maximum ? bounds.maximum : value
}

/// The code of a sum with its bias, rounded as the reference rounds.
@inline(__always)
@unsafe private func code(
  _ sum: Int32, _ channel: Int, _ arguments: TransposeConvolutionArguments
) -> Int8 {
  var value = sum
  if let bias = unsafe arguments.bias {
    value &+= unsafe bias.load(fromByteOffset: 4 &* channel, as: Int32.self)
  }
  let scale = unsafe FixedPointRatio(arguments.scales?[channel] ?? FixedPointScale(1))
  let bounds = arguments.bounds
  let steps = scale.apply(value) &+ Int64(bounds.zeroPoint)
  return Int8(truncatingIfNeeded: min(max(steps, Int64(bounds.minimum)), Int64(bounds.maximum)))
}

/// Each output element sums over the taps that reach it.
@inline(__always)
@unsafe private func gatherTaps<T, W, A, R>(
  _ arguments: TransposeConvolutionArguments, _ lines: Range<Int>, _: T.Type, _: W.Type, _ zero: A,
  _ add: (Int, A, T, W) -> A, _ finish: (Int, A, Int) -> R
) {
  // In the geometry's terms this operator's output is the input, and its input the output.
  let g = arguments.geometry
  let input = unsafe arguments.input.assumingMemoryBound(to: T.self)
  let weights = unsafe arguments.weights.assumingMemoryBound(to: W.self)
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
              sum = unsafe add(image, sum, pixel[k], kernel[k])
              k &+= 1
            }
          }
          tap &+= 1
        }
        unsafe output[channel] = finish(image, sum, channel)
        channel &+= 1
      }
      unsafe output += g.inputChannels
      x &+= 1
    }
    line &+= 1
  }
}
