import CVector
import KernelInterface
import Tensors

/// Another height and width; `lines` counts `[n, h']`.
func resize(_ arguments: ResizeArguments, _ lines: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch (arguments.isBilinear, arguments.type) {
  case (true, .float32): unsafe bilinearFloats(arguments, lines)
  case (true, .uint8): unsafe bilinearBytes(arguments, lines)
  case (true, .int16): unsafe bilinearInt16(arguments, lines)
  case (true, _): unsafe bilinearInt8(arguments, lines)
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
      let a = SIMD16(repeating: (1 - y.fraction) * (1 - x.fraction))
      let b = SIMD16(repeating: (1 - y.fraction) * x.fraction)
      let c = SIMD16(repeating: y.fraction * (1 - x.fraction))
      let d = SIMD16(repeating: y.fraction * x.fraction)
      var k = 0
      while k < channels {
        let count = min(16, channels &- k)
        let top = unsafe loadFloat32x16(upper + (left &+ k), count) * a
          + loadFloat32x16(upper + (right &+ k), count) * b
        let bottom = unsafe loadFloat32x16(lower + (left &+ k), count) * c
          + loadFloat32x16(lower + (right &+ k), count) * d
        unsafe storeFloat32(output + k, top + bottom, count)
        k &+= 16
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
      let (up, down) = (SIMD16(repeating: 1 - y.fraction), SIMD16(repeating: y.fraction))
      let (west, east) = (SIMD16(repeating: 1 - x.fraction), SIMD16(repeating: x.fraction))
      let half = SIMD16<Float>(repeating: 0.5)
      var k = 0
      while k < channels {
        let count = min(16, channels &- k)
        var sum = unsafe loadBytes(upper + (left &+ k), count) * up * west
        sum = unsafe sum + loadBytes(lower + (left &+ k), count) * down * west
        sum = unsafe sum + loadBytes(upper + (right &+ k), count) * up * east
        sum = unsafe sum + loadBytes(lower + (right &+ k), count) * down * east
        let codes = cv_truncate_x16(cv_greater_x16(sum + half, SIMD16()))
        unsafe storeInt8(
          UnsafeMutableRawPointer(output + k).assumingMemoryBound(to: Int8.self),
          cv_low_bytes_x16(codes), count)
        k &+= 16
      }
      unsafe output += channels
      column &+= 1
    }
    line &+= 1
  }
}

/// The first `count` (1 … 16) bytes as numbers.
@inline(__always)
@unsafe private func loadBytes(_ place: UnsafePointer<UInt8>, _ count: Int) -> SIMD16<Float> {
  let codes = unsafe loadInt8(UnsafeRawPointer(place).assumingMemoryBound(to: Int8.self), count)
  return cv_to_float_x16(cv_widen_x16(codes) & SIMD16(repeating: 0xFF))
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
@unsafe private func bilinearInt8(_ arguments: ResizeArguments, _ lines: Range<Int>) {
  let source = unsafe arguments.input.assumingMemoryBound(to: Int8.self)
  let destination = unsafe arguments.output.assumingMemoryBound(to: Int8.self)
  unsafe forEachPixel(arguments, lines) { corners, fractions, output in
    let a = SIMD16(repeating: Int32(truncatingIfNeeded: fractions.0))
    let b = SIMD16(repeating: Int32(truncatingIfNeeded: fractions.1))
    let c = SIMD16(repeating: Int32(truncatingIfNeeded: fractions.2))
    let d = SIMD16(repeating: Int32(truncatingIfNeeded: fractions.3))
    var k = 0
    while k < arguments.channels {
      let count = min(16, arguments.channels &- k)
      let top = unsafe cv_widen_x16(loadInt8(source + (corners.0 &+ k), count)) &* a
        &+ cv_widen_x16(loadInt8(source + (corners.1 &+ k), count)) &* b
      let bottom = unsafe cv_widen_x16(loadInt8(source + (corners.2 &+ k), count)) &* c
        &+ cv_widen_x16(loadInt8(source + (corners.3 &+ k), count)) &* d
      let codes = cv_divide_x16(top &+ bottom, 20)
      unsafe storeInt8(destination + (output &+ k), cv_narrow_x16(codes), count)
      k &+= 16
    }
  }
}

/// The same of int16, in 64 bits.
@unsafe private func bilinearInt16(_ arguments: ResizeArguments, _ lines: Range<Int>) {
  let source = unsafe arguments.input.assumingMemoryBound(to: Int16.self)
  let destination = unsafe arguments.output.assumingMemoryBound(to: Int16.self)
  unsafe forEachPixel(arguments, lines) { corners, fractions, output in
    var k = 0
    while k < arguments.channels {
      let top = unsafe Int(source[corners.0 &+ k]) &* fractions.0
        &+ Int(source[corners.1 &+ k]) &* fractions.1
      let bottom = unsafe Int(source[corners.2 &+ k]) &* fractions.2
        &+ Int(source[corners.3 &+ k]) &* fractions.3
      let sum = top &+ bottom
      let half = sum > 0 ? 1 &<< 19 : 0 &- 1 &<< 19
      unsafe destination[output &+ k] = Int16(truncatingIfNeeded: (sum &+ half) / (1 << 20))
      k &+= 1
    }
  }
}

/// Calls `interpolate` with the places of the four pixels around each pixel of the output, their shares in 2⁻²⁰, and its
/// own place.
@inline(__always)
@unsafe private func forEachPixel(
  _ arguments: ResizeArguments, _ lines: Range<Int>,
  _ interpolate: (
    _ corners: (Int, Int, Int, Int), _ fractions: (Int, Int, Int, Int), _ output: Int
  ) -> Void
) {
  let (width, channels) = (arguments.width, arguments.channels)
  var output = lines.lowerBound &* arguments.outputWidth &* channels
  var line = lines.lowerBound
  while line < lines.upperBound {
    let y = FixedNeighbours(
      line % arguments.outputHeight, arguments.height, arguments.outputHeight, arguments)
    let image = line / arguments.outputHeight &* arguments.height
    let upper = (image &+ y.low) &* width &* channels
    let lower = (image &+ y.high) &* width &* channels
    var column = 0
    while column < arguments.outputWidth {
      let x = FixedNeighbours(column, width, arguments.outputWidth, arguments)
      let (left, right) = (x.low &* channels, x.high &* channels)
      interpolate(
        (upper &+ left, upper &+ right, lower &+ left, lower &+ right),
        (
          (1024 &- y.fraction) &* (1024 &- x.fraction), (1024 &- y.fraction) &* x.fraction,
          y.fraction &* (1024 &- x.fraction), y.fraction &* x.fraction
        ), output)
      output &+= channels
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
