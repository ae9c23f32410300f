import CVector
import KernelInterface
import Tensors

/// Another height and width; `lines` counts `[n, h']`.
func resize(_ arguments: ResizeArguments, _ lines: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch (arguments.isBilinear, arguments.type) {
  case (true, .float32): unsafe bilinearFloats(arguments, lines)
  case (true, .uint8): unsafe bilinearBytes(arguments, lines)
  case (true, .int16): unsafe bilinearCodes(arguments, lines, Int16.self, Int64.self)
  case (true, _): unsafe bilinearCodes(arguments, lines, Int8.self, Int32.self)
  case (false, _): unsafe nearest(arguments, lines)
  }
}

/// Two neighbouring indices, and how far between them a point lies.
private struct Neighbours {
  var low: Int
  var high: Int
  var fraction: Float

  @inline(__always)
  init(_ index: Int, _ extent: Int, _ outputExtent: Int, _ arguments: ResizeArguments) {
    let aligned = arguments.alignsCorners && outputExtent > 1
    let scale =
      aligned
      ? Float(extent &- 1) / Float(outputExtent &- 1) : Float(extent) / Float(outputExtent)
    let point =
      arguments.hasHalfPixelCenters ? (Float(index) + 0.5) * scale - 0.5 : Float(index) * scale
    let floor = cv_floor(point)
    low = max(Int(floor), 0)
    high = min(Int(cv_ceiling(point)), extent &- 1)
    if low > extent &- 1 { low = extent &- 1 }
    if high < 0 { high = 0 }
    fraction = point - Float(low)
  }
}

@unsafe private func bilinearFloats(_ arguments: ResizeArguments, _ lines: Range<Int>) {
  let (width, channels) = (arguments.width, arguments.channels)
  let source = unsafe arguments.input.assumingMemoryBound(to: Float.self)
  var output = unsafe arguments.output.assumingMemoryBound(to: Float.self)
    + lines.lowerBound &* arguments.outputWidth &* channels
  var line = lines.lowerBound
  while line < lines.upperBound {
    let y = Neighbours(
      line % arguments.outputHeight, arguments.height, arguments.outputHeight, arguments)
    let image = unsafe source + line / arguments.outputHeight &* arguments.height &* width &* channels
    let upper = unsafe image + y.low &* width &* channels
    let lower = unsafe image + y.high &* width &* channels
    var column = 0
    while column < arguments.outputWidth {
      let x = Neighbours(column, width, arguments.outputWidth, arguments)
      let (left, right) = (x.low &* channels, x.high &* channels)
      let a = (1 - y.fraction) * (1 - x.fraction)
      let b = (1 - y.fraction) * x.fraction
      let c = y.fraction * (1 - x.fraction)
      let d = y.fraction * x.fraction
      var k = 0
      while k < channels {
        let top = unsafe upper[left &+ k] * a + upper[right &+ k] * b
        let bottom = unsafe lower[left &+ k] * c + lower[right &+ k] * d
        unsafe output[k] = top + bottom
        k &+= 1
      }
      unsafe output += channels
      column &+= 1
    }
    line &+= 1
  }
}

/// - Source: TensorFlow Lite's reference, which interpolates codes without sign in float32, in this order, and cuts
///   what half a code more is.
@unsafe private func bilinearBytes(_ arguments: ResizeArguments, _ lines: Range<Int>) {
  let (width, channels) = (arguments.width, arguments.channels)
  let source = unsafe arguments.input.assumingMemoryBound(to: UInt8.self)
  var output = unsafe arguments.output.assumingMemoryBound(to: UInt8.self)
    + lines.lowerBound &* arguments.outputWidth &* channels
  var line = lines.lowerBound
  while line < lines.upperBound {
    let y = Neighbours(
      line % arguments.outputHeight, arguments.height, arguments.outputHeight, arguments)
    let image = unsafe source + line / arguments.outputHeight &* arguments.height &* width &* channels
    let upper = unsafe image + y.low &* width &* channels
    let lower = unsafe image + y.high &* width &* channels
    var column = 0
    while column < arguments.outputWidth {
      let x = Neighbours(column, width, arguments.outputWidth, arguments)
      let (left, right) = (x.low &* channels, x.high &* channels)
      var k = 0
      while k < channels {
        var sum = unsafe Float(upper[left &+ k]) * (1 - y.fraction) * (1 - x.fraction)
        sum = unsafe sum + Float(lower[left &+ k]) * y.fraction * (1 - x.fraction)
        sum = unsafe sum + Float(upper[right &+ k]) * (1 - y.fraction) * x.fraction
        sum = unsafe sum + Float(lower[right &+ k]) * y.fraction * x.fraction
        unsafe output[k] = UInt8(truncatingIfNeeded: Int32(max(sum + 0.5, 0)))
        k &+= 1
      }
      unsafe output += channels
      column &+= 1
    }
    line &+= 1
  }
}

/// Two neighbouring indices and a fraction of 1024ths between them.
private struct FixedNeighbours {
  var low: Int
  var high: Int
  var fraction: Int

  @inline(__always)
  init(_ index: Int, _ extent: Int, _ outputExtent: Int, _ arguments: ResizeArguments) {
    let isAligned = arguments.alignsCorners && outputExtent > 1
    let span = isAligned ? outputExtent &- 1 : outputExtent
    let scale = (1024 &* (isAligned ? extent &- 1 : extent) &+ span / 2) / span
    let point =
      arguments.hasHalfPixelCenters ? index &* scale &+ scale / 2 &- 512 : index &* scale
    low = min(max(point / 1024, 0), extent &- 1)
    high = max(min((point &+ 1023) / 1024, extent &- 1), 0)
    fraction = point &- 1024 &* low
  }
}

/// - Source: the fixed-point interpolation of TensorFlow Lite's reference, bit by bit.
@inline(__always)
@unsafe private func bilinearCodes<T: FixedWidthInteger, A: FixedWidthInteger>(
  _ arguments: ResizeArguments, _ lines: Range<Int>, _: T.Type, _: A.Type
) {
  let (width, channels) = (arguments.width, arguments.channels)
  let source = unsafe arguments.input.assumingMemoryBound(to: T.self)
  var output = unsafe arguments.output.assumingMemoryBound(to: T.self)
    + lines.lowerBound &* arguments.outputWidth &* channels
  var line = lines.lowerBound
  while line < lines.upperBound {
    let y = FixedNeighbours(
      line % arguments.outputHeight, arguments.height, arguments.outputHeight, arguments)
    let image = unsafe source + line / arguments.outputHeight &* arguments.height &* width &* channels
    let upper = unsafe image + y.low &* width &* channels
    let lower = unsafe image + y.high &* width &* channels
    var column = 0
    while column < arguments.outputWidth {
      let x = FixedNeighbours(column, width, arguments.outputWidth, arguments)
      let (left, right) = (x.low &* channels, x.high &* channels)
      let a = A(truncatingIfNeeded: (1024 &- y.fraction) &* (1024 &- x.fraction))
      let b = A(truncatingIfNeeded: (1024 &- y.fraction) &* x.fraction)
      let c = A(truncatingIfNeeded: y.fraction &* (1024 &- x.fraction))
      let d = A(truncatingIfNeeded: y.fraction &* x.fraction)
      var k = 0
      while k < channels {
        let top = unsafe A(truncatingIfNeeded: upper[left &+ k]) &* a
          &+ A(truncatingIfNeeded: upper[right &+ k]) &* b
        let bottom = unsafe A(truncatingIfNeeded: lower[left &+ k]) &* c
          &+ A(truncatingIfNeeded: lower[right &+ k]) &* d
        let sum = top &+ bottom
        let half: A = sum > 0 ? 1 &<< 19 : 0 &- 1 &<< 19
        unsafe output[k] = T(truncatingIfNeeded: (sum &+ half) / (1 << 20))
        k &+= 1
      }
      unsafe output += channels
      column &+= 1
    }
    line &+= 1
  }
}

/// The input index nearest to an output index.
@inline(__always)
private func nearestIndex(
  _ index: Int, _ extent: Int, _ outputExtent: Int, _ arguments: ResizeArguments
) -> Int {
  let isAligned = arguments.alignsCorners && outputExtent > 1
  let scale =
    isAligned
    ? Float(extent &- 1) / Float(outputExtent &- 1) : Float(extent) / Float(outputExtent)
  let point = (Float(index) + (arguments.hasHalfPixelCenters ? 0.5 : 0)) * scale
  let whole = arguments.alignsCorners ? cv_round_from_zero(point) : cv_floor(point)
  return max(min(Int(whole), extent &- 1), 0)
}

@unsafe private func nearest(_ arguments: ResizeArguments, _ lines: Range<Int>) {
  // The element type's bytes come with the channels.
  let pixelBytes = arguments.channels
  var output = unsafe arguments.output + lines.lowerBound &* arguments.outputWidth &* pixelBytes
  var line = lines.lowerBound
  while line < lines.upperBound {
    let y = nearestIndex(
      line % arguments.outputHeight, arguments.height, arguments.outputHeight, arguments)
    let row = line / arguments.outputHeight &* arguments.height &+ y
    let source = unsafe arguments.input + row &* arguments.width &* pixelBytes
    var column = 0
    while column < arguments.outputWidth {
      let x = nearestIndex(column, arguments.width, arguments.outputWidth, arguments)
      unsafe cv_copy(output, source + x &* pixelBytes, pixelBytes)
      unsafe output += pixelBytes
      column &+= 1
    }
    line &+= 1
  }
}
