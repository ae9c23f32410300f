import KernelInterface
import Tensors

/// Between float16 and float32, rounding half to even; the bits of float16 are worked out as integers, because the
/// least instruction sets do not convert them.
func castHalves(_ arguments: CastArguments) {
  var i = 0
  // Sound: `count` elements of the two types are read and written, as the maker of the arguments vouches.
  if case .float16 = arguments.inputType {
    let input = unsafe arguments.input.assumingMemoryBound(to: UInt16.self)
    if case .float16 = arguments.outputType {
      let output = unsafe arguments.output.assumingMemoryBound(to: UInt16.self)
      while i < arguments.count {
        unsafe output[i] = input[i]
        i &+= 1
      }
      return
    }
    let output = unsafe arguments.output.assumingMemoryBound(to: UInt32.self)
    while i < arguments.count {
      unsafe output[i] = single(input[i])
      i &+= 1
    }
  } else {
    let input = unsafe arguments.input.assumingMemoryBound(to: UInt32.self)
    let output = unsafe arguments.output.assumingMemoryBound(to: UInt16.self)
    while i < arguments.count {
      unsafe output[i] = half(input[i])
      i &+= 1
    }
  }
}

/// The bits of the float32 that a float16 is.
@inline(__always)
private func single(_ half: UInt16) -> UInt32 {
  let bits = UInt32(half)
  let (sign, exponent, fraction) = ((bits & 0x8000) &<< 16, (bits &>> 10) & 31, bits & 0x3FF)
  if exponent == 31 { return sign | 0x7F80_0000 | fraction &<< 13 }
  // Below the least exponent a float16 is a whole number of 2⁻²⁴.
  if exponent == 0 { return sign | (Float(fraction) * 0x1p-24).bitPattern }
  return sign | (exponent &+ 112) &<< 23 | fraction &<< 13
}

/// The bits of the float16 nearest to a float32.
@inline(__always)
private func half(_ single: UInt32) -> UInt16 {
  let (sign, magnitude) = ((single &>> 16) & 0x8000, single & 0x7FFF_FFFF)
  let result: UInt32
  if magnitude > 0x7F80_0000 {
    result = 0x7E00
  } else if magnitude >= 0x477F_F000 {
    result = 0x7C00
  } else if magnitude < 0x3880_0000 {
    // Beside one half, the last place of a float32 is 2⁻²⁴, the unit of small float16s.
    result = (Float(bitPattern: magnitude) + 0.5).bitPattern &- 0x3F00_0000
  } else {
    result = (magnitude &- 0x3800_0000 &+ 0xFFF &+ (magnitude &>> 13 & 1)) &>> 13
  }
  return UInt16(truncatingIfNeeded: sign | result)
}
