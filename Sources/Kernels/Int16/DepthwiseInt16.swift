import KernelInterface

/// Int16 depthwise convolution with int8 weights, channels innermost.
///
/// - Precondition: at most 256 taps, so that sums fit 32 bits.
func depthwiseInt16(_ arguments: ConvolutionInt16Arguments, _ range: Range<Int>) {
  let geometry = arguments.geometry
  let channels = geometry.outputChannels
  let multiplier = channels / geometry.inputChannels
  // Sound: the maker of the arguments vouches for the pointers.
  let sums = unsafe arguments.scratch.assumingMemoryBound(to: Int32.self)
  var row = range.lowerBound
  while row < range.upperBound {
    var first = 0
    while first < channels {
      unsafe sums[first] = 0
      first &+= 1
    }
    let window = ClippedWindow(geometry, row: row)
    let pixel = row % geometry.outputPixels
    let top = pixel / geometry.outputWidth &* geometry.strideHeight &- geometry.paddingTop
    let left = pixel % geometry.outputWidth &* geometry.strideWidth &- geometry.paddingLeft
    let firstY = top < 0 ? (geometry.dilationHeight &- 1 &- top) / geometry.dilationHeight : 0
    let firstX = left < 0 ? (geometry.dilationWidth &- 1 &- left) / geometry.dilationWidth : 0
    var y = 0
    while y < window.height {
      var x = 0
      while x < window.width {
        let tap = (firstY &+ y) &* geometry.kernelWidth &+ firstX &+ x
        let weights = unsafe arguments.weights + tap &* channels
        let input = unsafe arguments.input
          + (window.first &+ y &* window.lineStride &+ x &* window.tapStride)
        if multiplier == 1 {
          unsafe accumulate(sums, input, weights, channels)
        } else {
          var channel = 0
          while channel < channels {
            unsafe sums[channel] &+= Int32(input[channel / multiplier]) &* Int32(weights[channel])
            channel &+= 1
          }
        }
        x &+= 1
      }
      y &+= 1
    }
    var channel = 0
    while channel < channels {
      unsafe arguments.output[row &* channels &+ channel] = scaledInt16(
        arguments, Int64(sums[channel]), channel)
      channel &+= 1
    }
    row &+= 1
  }
}

@inline(__always)
@unsafe private func accumulate(
  _ sums: UnsafeMutablePointer<Int32>, _ input: UnsafePointer<Int16>,
  _ weights: UnsafePointer<Int8>, _ count: Int
) {
  var channel = 0
  while channel < count {
    unsafe sums[channel] &+= Int32(input[channel]) &* Int32(weights[channel])
    channel &+= 1
  }
}
