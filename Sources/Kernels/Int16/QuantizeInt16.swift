import CVector
import KernelInterface

/// `output = clamp(round(input / scale))`, half away from zero; NaN becomes the minimum.
func quantizeInt16(_ arguments: QuantizeInt16Arguments) {
  let scale = SIMD8(repeating: arguments.scale)
  let (lowest, highest) = (SIMD8<Float>(repeating: -32768), SIMD8<Float>(repeating: 32767))
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let count = min(8, arguments.count &- i)
    let value = unsafe loadFloat32(arguments.input + i, count) / scale
    let codes = cv_round_away(cv_clamp(value, lowest, highest))
    var lane = 0
    while lane < count {
      unsafe arguments.output[i &+ lane] = Int16(truncatingIfNeeded: codes[lane])
      lane &+= 1
    }
    i &+= 8
  }
}

/// `output = scale · input`.
func dequantizeInt16(_ arguments: DequantizeInt16Arguments) {
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    unsafe arguments.output[i] = Float(arguments.input[i]) * arguments.scale
    i &+= 1
  }
}

/// Codes of one width and quantisation to those of another, bit by bit as the reference.
func requantizeCodes(_ arguments: RequantizeCodesArguments) {
  let scale = FixedPointRatio(arguments.scale)
  let scaleBelow = FixedPointRatio(arguments.scaleBelow)
  let zeroPoint = Int64(arguments.zeroPoint)
  let (minimum, maximum) = (Int64(arguments.minimum), Int64(arguments.maximum))
  var i = 0
  // Sound: `count` elements of the widths stated are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let code: Int32
    switch arguments.inputBytes {
    case 1: code = unsafe Int32(arguments.input.load(fromByteOffset: i, as: Int8.self))
    case 2: code = unsafe Int32(arguments.input.load(fromByteOffset: 2 &* i, as: Int16.self))
    default: code = unsafe arguments.input.load(fromByteOffset: 4 &* i, as: Int32.self)
    }
    let steps = code &- arguments.inputZeroPoint
    let scaled = (steps < 0 ? scaleBelow : scale).apply(steps) &+ zeroPoint
    let bounded = min(max(scaled, minimum), maximum)
    switch arguments.outputBytes {
    case 1:
      unsafe arguments.output.storeBytes(
        of: Int8(truncatingIfNeeded: bounded), toByteOffset: i, as: Int8.self)
    case 2:
      unsafe arguments.output.storeBytes(
        of: Int16(truncatingIfNeeded: bounded), toByteOffset: 2 &* i, as: Int16.self)
    default:
      unsafe arguments.output.storeBytes(
        of: Int32(truncatingIfNeeded: bounded), toByteOffset: 4 &* i, as: Int32.self)
    }
    i &+= 1
  }
}
