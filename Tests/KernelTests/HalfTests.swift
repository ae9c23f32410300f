import KernelDispatch
import KernelInterface
import Tensors
import TestSupport
import Testing

@Suite("Half precision")
struct HalfTests {
  private func cast<T: BitwiseCopyable, R: BitwiseCopyable>(
    _ table: KernelTable, _ from: DataType, _ to: DataType, _ input: [T], filler: R
  ) -> [R] {
    var output = [R](repeating: filler, count: input.count)
    unsafe input.withUnsafeBytes { input in
      unsafe output.withUnsafeMutableBytes { output in
        table.general.cast(
          unsafe CastArguments(
            inputType: from, outputType: to, count: input.count / MemoryLayout<T>.size,
            input: input.baseAddress!, output: output.baseAddress!))
      }
    }
    return output
  }

  @Test("every float16 becomes the float32 of the same number", arguments: KernelTable.supported)
  func widens(table: KernelTable) {
    let halves = (0...UInt16.max).map { $0 }
    let singles = cast(table, .float16, .float32, halves, filler: UInt32(0))
    for (half, single) in zip(halves, singles) {
      let expected = Float(Float16(bitPattern: half))
      guard !expected.isNaN else {
        #expect(Float(bitPattern: single).isNaN)
        continue
      }
      #expect(single == expected.bitPattern, "\(half)")
    }
  }

  @Test("a float32 becomes the nearest float16, half to even", arguments: KernelTable.supported)
  func narrows(table: KernelTable) {
    var random = SplitMix64(seed: 16)
    var singles: [UInt32] = [0, 0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000]
    for half in stride(from: UInt16(0), to: 0x7C00, by: 7) {
      // The number itself, the middle to the next one, and the neighbours of both.
      let bits = Float(Float16(bitPattern: half)).bitPattern
      let next = Float(Float16(bitPattern: half + 1)).bitPattern
      let middle = ((Float(bitPattern: bits) + Float(bitPattern: next)) / 2).bitPattern
      singles += [bits, bits + 1, middle - 1, middle, middle + 1, middle | 0x8000_0000]
    }
    singles += (0..<20_000).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) }
    let halves = cast(table, .float32, .float16, singles, filler: UInt16(0))
    for (single, half) in zip(singles, halves) {
      let expected = Float16(Float(bitPattern: single))
      guard !expected.isNaN else {
        #expect(Float16(bitPattern: half).isNaN)
        continue
      }
      #expect(half == expected.bitPattern, "\(single)")
    }
  }
}
