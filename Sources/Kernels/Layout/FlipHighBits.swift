import CVector
import KernelInterface

/// `output = input ^ 0x80`: uint8 codes as int8 codes, or back. Bound: memory.
func flipHighBits(_ arguments: FlipHighBitsArguments) {
  let high = SIMD16<Int8>(repeating: -128)
  var i = 0
  // Sound: `count` elements are read and written, as the maker of the arguments vouches.
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    unsafe storeInt8(arguments.output + i, loadInt8(arguments.input + i, count) ^ high, count)
    i &+= 16
  }
}
