import CVector
import KernelInterface

/// The part of a pooling window that lies inside the image.
struct ClippedWindow {
  /// Element index of the first tap's first channel.
  let first: Int
  let height: Int
  let width: Int
  /// Elements from one tap row to the next, and from one tap to the next.
  let lineStride: Int
  let tapStride: Int

  /// - Precondition: some tap lies inside.
  init(_ geometry: WindowGeometry, row: Int) {
    let image = row / geometry.outputPixels
    let pixel = row % geometry.outputPixels
    let y = pixel / geometry.outputWidth &* geometry.strideHeight &- geometry.paddingTop
    let x = pixel % geometry.outputWidth &* geometry.strideWidth &- geometry.paddingLeft
    let (firstY, height) = Self.clip(
      y, geometry.kernelHeight, geometry.dilationHeight, geometry.inputHeight)
    let (firstX, width) = Self.clip(
      x, geometry.kernelWidth, geometry.dilationWidth, geometry.inputWidth)
    let line = image &* geometry.inputHeight &+ firstY
    first = (line &* geometry.inputWidth &+ firstX) &* geometry.inputChannels
    self.height = height
    self.width = width
    lineStride = geometry.dilationHeight &* geometry.inputWidth &* geometry.inputChannels
    tapStride = geometry.dilationWidth &* geometry.inputChannels
  }

  /// The first position inside `0 ..< extent` and how many taps are.
  private static func clip(_ start: Int, _ taps: Int, _ dilation: Int, _ extent: Int) -> (Int, Int)
  {
    let skipped = start < 0 ? (dilation &- 1 &- start) / dilation : 0
    let first = start &+ skipped &* dilation
    let fitting = first < extent ? (extent &- 1 &- first) / dilation &+ 1 : 0
    return (first, min(taps &- skipped, fitting))
  }
}

/// `output[p][c] = clamp(maximum of input[tap][c] over the taps inside the image)`.
func maximumPoolInt8(_ arguments: PoolingInt8Arguments, _ rows: Range<Int>) {
  let channels = arguments.geometry.inputChannels
  let lowest = SIMD16(repeating: arguments.minimum)
  let highest = SIMD16(repeating: arguments.maximum)
  var row = rows.lowerBound
  // Sound: clipped windows lie inside the input that the maker of the arguments vouches for.
  while row < rows.upperBound {
    let window = ClippedWindow(arguments.geometry, row: row)
    var channel = 0
    while channel < channels {
      let count = min(16, channels &- channel)
      var best = SIMD16<Int8>(repeating: -128)
      var y = 0
      while y < window.height {
        var place = unsafe arguments.input + (window.first &+ y &* window.lineStride &+ channel)
        var x = 0
        while x < window.width {
          best = unsafe cv_max_s8(best, loadInt8(place, count))
          unsafe place += window.tapStride
          x &+= 1
        }
        y &+= 1
      }
      let codes = cv_min_s8(cv_max_s8(best, lowest), highest)
      unsafe storeInt8(arguments.output + (row &* channels &+ channel), codes, count)
      channel &+= 16
    }
    row &+= 1
  }
}

/// `output[p][c] = clamp(mean of input[tap][c] over the taps inside the image)`, half away from zero or up.
///
/// - Source: TensorFlow Lite's reference: the sum, plus or minus half the count, divided towards zero.
func averagePoolInt8(_ arguments: PoolingInt8Arguments, _ rows: Range<Int>) {
  let channels = arguments.geometry.inputChannels
  let lowest = SIMD8(repeating: Int32(arguments.minimum))
  let highest = SIMD8(repeating: Int32(arguments.maximum))
  var row = rows.lowerBound
  // Sound: clipped windows lie inside the input that the maker of the arguments vouches for.
  while row < rows.upperBound {
    let window = ClippedWindow(arguments.geometry, row: row)
    let divisor = Int32(truncatingIfNeeded: window.height &* window.width)
    var channel = 0
    while channel < channels {
      let count = min(16, channels &- channel)
      var (low, high) = (SIMD8<Int32>(), SIMD8<Int32>())
      var y = 0
      while y < window.height {
        var place = unsafe arguments.input + (window.first &+ y &* window.lineStride &+ channel)
        var x = 0
        while x < window.width {
          let codes = unsafe loadInt8(place, count)
          low &+= cv_widen_s8x8(codes.lowHalf)
          high &+= cv_widen_s8x8(codes.highHalf)
          unsafe place += window.tapStride
          x &+= 1
        }
        y &+= 1
      }
      // Codes without sign are 128 more, and then rounding away from zero is rounding up.
      let shift: Int32 = arguments.roundsUp ? 128 : 0
      let offset = SIMD8(repeating: shift &* divisor)
      let (mean, other) = (divideRounding(low &+ offset, divisor), divideRounding(high &+ offset, divisor))
      let first = cv_min_s32(cv_max_s32(mean &- SIMD8(repeating: shift), lowest), highest)
      let second = cv_min_s32(cv_max_s32(other &- SIMD8(repeating: shift), lowest), highest)
      unsafe storeInt8(
        arguments.output + (row &* channels &+ channel), cv_narrow_s32x16(first, second), count)
      channel &+= 16
    }
    row &+= 1
  }
}

/// `sum / divisor`, half away from zero.
///
/// Up to 2¹⁶ the quotient of floats is exact enough: a sum is below 2²⁴, and a quotient below 257 that is not whole is
/// further than half a unit of its last place from the next whole number.
@inline(__always)
private func divideRounding(_ sum: SIMD8<Int32>, _ divisor: Int32) -> SIMD8<Int32> {
  let half = SIMD8(repeating: divisor / 2)
  let sign = cv_shift_right(sum, 31)
  if divisor <= 1 << 16 {
    let rounded = sum &+ ((half ^ sign) &- sign)
    return cv_truncate(cv_to_float(rounded) / SIMD8(repeating: Float(divisor)))
  }
  var quotient = SIMD8<Int32>()
  var lane = 0
  while lane < 8 {
    let value = Int(sum[lane])
    let rounded = value &+ (value < 0 ? 0 &- Int(divisor / 2) : Int(divisor / 2))
    quotient[lane] = Int32(truncatingIfNeeded: rounded / Int(divisor))
    lane &+= 1
  }
  return quotient
}
