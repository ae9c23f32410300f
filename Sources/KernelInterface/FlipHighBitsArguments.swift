/// Codes of 8 bits each less, or more, 128: `output = input ^ 0x80`, from uint8 to int8 and back.
@safe package struct FlipHighBitsArguments {
  package var count: Int
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int8>

  package init(
    count: Int, input: UnsafePointer<Int8>, output: UnsafeMutablePointer<Int8>
  ) {
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}
