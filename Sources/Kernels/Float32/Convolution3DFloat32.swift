import CVector
import KernelInterface

/// A convolution over depth, height and width, or a transposed one; `pixels` counts `[n, d', h', w']`.
///
/// Sixteen output channels at a time take each activation in turn: one multiplication for each load of weights.
func convolution3DFloat32(_ arguments: Convolution3DArguments, _ pixels: Range<Int>) {
  let output = arguments.output
  var pixel = pixels.lowerBound
  // Sound: taps outside the input are left out; the maker of the arguments vouches for the rest.
  while pixel < pixels.upperBound {
    let column = pixel % output[2]
    let line = pixel / output[2]
    let row = line % output[1]
    let slice = line / output[1]
    var place = SIMD4<Int>(slice % output[0], row, column, 0)
    place = arguments.isTransposed
      ? place &+ arguments.before : place &* arguments.stride &- arguments.before
    let picture = slice / output[0] &* arguments.input[0]
    var channel = 0
    while channel < arguments.outputChannels {
      unsafe convolvePixel(arguments, pixel, place, picture, channel)
      channel &+= 16
    }
    pixel &+= 1
  }
}

/// Where a tap of the window at `place` meets the input along one axis; below zero where it does not.
@inline(__always)
private func met(_ arguments: Convolution3DArguments, _ place: Int, _ tap: Int, _ axis: Int) -> Int {
  let (reach, extent) = (tap &* arguments.dilation[axis], arguments.input[axis])
  guard arguments.isTransposed else { return place &+ reach < extent ? place &+ reach : -1 }
  let (from, stride) = (place &- reach, arguments.stride[axis])
  let at = from / stride
  return from >= 0 && at &* stride == from && at < extent ? at : -1
}

/// Up to sixteen channels of one pixel, whose window begins, or if transposed ends, at `place`.
@unsafe private func convolvePixel(
  _ arguments: Convolution3DArguments, _ pixel: Int, _ place: SIMD4<Int>, _ picture: Int,
  _ channel: Int
) {
  let (input, kernel) = (arguments.input, arguments.kernel)
  let (channels, outputs) = (arguments.inputChannels, arguments.outputChannels)
  let first = min(8, outputs &- channel)
  let second = min(8, outputs &- channel &- 8)
  var low = SIMD8<Float>(repeating: 0)
  var high = SIMD8<Float>(repeating: 0)
  if let bias = unsafe arguments.bias {
    low = unsafe loadFloat32(bias + channel, first)
    if second > 0 { high = unsafe loadFloat32(bias + (channel &+ 8), second) }
  }
  var tap = 0
  while tap < kernel[0] &* kernel[1] &* kernel[2] {
    let column = met(arguments, place[2], tap % kernel[2], 2)
    let row = met(arguments, place[1], tap / kernel[2] % kernel[1], 1)
    let slice = met(arguments, place[0], tap / (kernel[2] &* kernel[1]), 0)
    if column >= 0 && row >= 0 && slice >= 0 {
      let at = ((picture &+ slice) &* input[1] &+ row) &* input[2] &+ column
      let activations = unsafe arguments.activations + at &* channels
      var weights = unsafe arguments.weights + (tap &* channels &* outputs &+ channel)
      var k = 0
      while k < channels {
        let x = unsafe SIMD8<Float>(repeating: activations[k])
        low = unsafe cv_multiply_add(low, x, loadFloat32(weights, first))
        if second > 0 { high = unsafe cv_multiply_add(high, x, loadFloat32(weights + 8, second)) }
        unsafe weights += outputs
        k &+= 1
      }
    }
    tap &+= 1
  }
  let lowest = SIMD8<Float>(repeating: arguments.bounds.minimum)
  let highest = SIMD8<Float>(repeating: arguments.bounds.maximum)
  let result = unsafe arguments.result + (pixel &* outputs &+ channel)
  unsafe storeFloat32(result, cv_clamp_keeping_nan(low, lowest, highest), first)
  if second > 0 {
    unsafe storeFloat32(result + 8, cv_clamp_keeping_nan(high, lowest, highest), second)
  }
}
