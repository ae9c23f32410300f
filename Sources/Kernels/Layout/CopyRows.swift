import CVector
import KernelInterface

/// Copies rows of bytes between two strided places.
func copyRows(_ arguments: CopyRowsArguments) {
  var row = 0
  // Sound: the maker of the arguments vouches for every row; input and output do not overlap.
  while row < arguments.rows {
    unsafe cv_copy(
      arguments.output + row &* arguments.outputStrideBytes,
      arguments.input + row &* arguments.inputStrideBytes, arguments.rowBytes)
    row &+= 1
  }
}

/// Repeats an element of 1, 2, 4 or 8 bytes.
func fill(_ arguments: FillArguments) {
  var pattern = arguments.pattern
  if arguments.elementBytes == 1 { pattern = (pattern & 0xFF) &* 0x0101_0101_0101_0101 }
  if arguments.elementBytes == 2 { pattern = (pattern & 0xFFFF) &* 0x0001_0001_0001_0001 }
  if arguments.elementBytes == 4 { pattern = (pattern & 0xFFFF_FFFF) &* 0x0000_0001_0000_0001 }
  let byteCount = arguments.count &* arguments.elementBytes
  var i = 0
  // Sound: `count` elements are written, as the maker of the arguments vouches.
  while i &+ 8 <= byteCount {
    unsafe arguments.output.storeBytes(of: pattern, toByteOffset: i, as: UInt64.self)
    i &+= 8
  }
  // A pattern repeats from its low byte; whole words end on a whole element.
  while i < byteCount {
    unsafe arguments.output.storeBytes(
      of: UInt8(truncatingIfNeeded: pattern), toByteOffset: i, as: UInt8.self)
    pattern &>>= 8
    i &+= 1
  }
}
