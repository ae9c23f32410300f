import CVector
import KernelInterface

/// `output = clamp(round(input / scale) + zeroPoint)`, half away from zero; NaN becomes the minimum.
func quantizeInt8(_ arguments: QuantizeArguments) {
  let bounds = arguments.bounds
  let scale = SIMD16(repeating: arguments.scale)
  let lowest = SIMD16(repeating: Float(bounds.minimum &- bounds.zeroPoint))
  let highest = SIMD16(repeating: Float(bounds.maximum &- bounds.zeroPoint))
  let zeroPoint = SIMD16(repeating: bounds.zeroPoint)
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    let value = unsafe loadFloat32x16(arguments.input + i, count) / scale
    let codes = cv_round_away_x16(cv_clamp_x16(value, lowest, highest)) &+ zeroPoint
    unsafe storeInt8(arguments.output + i, cv_narrow_x16(codes), count)
    i &+= 16
  }
}

/// `output = scale · (input − zeroPoint)`.
func dequantizeInt8(_ arguments: DequantizeArguments) {
  let scale = SIMD16(repeating: arguments.scale)
  let zeroPoint = SIMD16(repeating: arguments.zeroPoint)
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    let codes = unsafe loadInt8(arguments.input + i, count)
    let values = cv_to_float_x16(cv_widen_x16(codes) &- zeroPoint) * scale
    unsafe storeFloat32(arguments.output + i, values, count)
    i &+= 16
  }
}

/// Quantises each row by its own range, symmetric to ±127 or asymmetric to −128 … 127.
///
/// - Source: TensorFlow Lite's quantisation of activations for dynamic-range operators.
func quantizeRows(_ arguments: QuantizeRowsArguments, _ rows: Range<Int>) {
  var row = rows.lowerBound
  // Sound: every index stays inside the rows that the maker of the arguments vouches for.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* arguments.columns
    let output = unsafe arguments.output + row &* arguments.columns
    let range = unsafe RowRange(input, arguments.columns)
    let quantization = arguments.isSymmetric ? range.symmetric : range.asymmetric
    unsafe arguments.scales[row] = quantization.scale
    unsafe arguments.zeroPoints[row] = quantization.zeroPoint
    unsafe quantizeRow(
      input, arguments.columns, quantization, lowest: arguments.isSymmetric ? -127 : -128, output)
    row &+= 1
  }
}

/// How the values of one row become codes: `round(x · inverse + zeroPoint)`.
private struct RowQuantization {
  var scale: Float
  var inverse: Float
  var zeroPoint: Int32
}

/// The least and the greatest value of a row, zero included; NaN is passed over.
private struct RowRange {
  private(set) var minimum: Float = 0
  private(set) var maximum: Float = 0

  @unsafe init(_ input: UnsafePointer<Float>, _ count: Int) {
    var (lows, highs) = (SIMD16<Float>(), SIMD16<Float>())
    var i = 0
    while i < count {
      // The lanes beyond the row are zero, which the range includes anyway.
      let values = unsafe loadFloat32x16(input + i, min(16, count &- i))
      lows = cv_less_x16(values, lows)
      highs = cv_greater_x16(values, highs)
      i &+= 16
    }
    minimum = cv_least_float_x16(lows)
    maximum = cv_greatest_float_x16(highs)
  }

  var symmetric: RowQuantization {
    let range = max(0 - minimum, maximum)
    guard range > 0 && range < .infinity else {
      return RowQuantization(scale: 1, inverse: 0, zeroPoint: 0)
    }
    return RowQuantization(scale: range / 127, inverse: 127 / range, zeroPoint: 0)
  }

  var asymmetric: RowQuantization {
    guard minimum < maximum && maximum - minimum < .infinity else {
      return RowQuantization(scale: 1, inverse: 0, zeroPoint: 0)
    }
    let scale = (maximum - minimum) / 255
    // Too small to be divided by 255.
    guard scale > 0 else { return RowQuantization(scale: 1, inverse: 0, zeroPoint: 0) }
    let (lowest, highest) = (
      Double(minimum) / Double(scale), Double(maximum) / Double(scale)
    )
    let fromMinimum = -128 - lowest
    let fromMaximum = 127 - highest
    // The end whose terms are smaller loses less.
    let minimumError = 128 + abs(lowest)
    let maximumError = 127 + abs(highest)
    let exact = minimumError < maximumError ? fromMinimum : fromMaximum
    let zeroPoint: Int32
    if exact <= -128 {
      zeroPoint = -128
    } else if exact >= 127 {
      zeroPoint = 127
    } else {
      // The nearest whole number, half away from zero; `rounded` would be a call for each row.
      let whole = Int32(exact)
      let rest = exact - Double(whole)
      zeroPoint = whole &+ (rest >= 0.5 ? 1 : rest <= -0.5 ? -1 : 0)
    }
    return RowQuantization(scale: scale, inverse: 1 / scale, zeroPoint: zeroPoint)
  }
}

@inline(__always)
@unsafe private func quantizeRow(
  _ input: UnsafePointer<Float>, _ columns: Int, _ quantization: RowQuantization, lowest: Float,
  _ output: UnsafeMutablePointer<Int8>
) {
  let inverse = SIMD16(repeating: quantization.inverse)
  let zeroPoint = SIMD16(repeating: Float(quantization.zeroPoint))
  var i = 0
  while i < columns {
    let count = min(16, columns &- i)
    let value = unsafe loadFloat32x16(input + i, count) * inverse + zeroPoint
    let codes = cv_round_away_x16(
      cv_clamp_x16(value, SIMD16(repeating: lowest), SIMD16(repeating: 127)))
    unsafe storeInt8(output + i, cv_narrow_x16(codes), count)
    i &+= 16
  }
}
