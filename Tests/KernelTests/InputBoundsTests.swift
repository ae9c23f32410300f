import Glibc
import KernelDispatch
import KernelInterface
import Testing

/// Memory that ends where a page without access begins.
@safe private final class GuardedMemory {
  let end: UnsafeMutableRawPointer
  private let mapping: UnsafeMutableRawPointer
  private let byteCount: Int

  init(_ wanted: Int) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    let whole = (wanted + page - 1) / page * page
    byteCount = whole + page
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    unsafe mapping = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
    unsafe end = mapping + whole
    precondition(unsafe mprotect(end, page, PROT_NONE) == 0)
  }

  deinit { unsafe munmap(mapping, byteCount) }
}

@Suite("Bounds of the input")
struct InputBoundsTests {
  static let cases: [GeometryCase] = [(8, 1), (16, 1), (17, 2), (24, 1), (3, 2)].flatMap {
    channels, stride in
    [
      GeometryCase(
        name: "3×3 at every border, \(channels) channels, stride \(stride)",
        geometry: window(
          batch: 2, height: 7, width: 13, channels: channels, outputChannels: channels,
          kernel: (3, 3), stride: (stride, stride), padding: (1, 1, 1, 1))),
      GeometryCase(
        name: "3×3 inside, \(channels) channels, stride \(stride)",
        geometry: window(
          height: 7, width: 13, channels: channels, outputChannels: channels, kernel: (3, 3),
          stride: (stride, stride))),
    ]
  }

  @Test("int8 windows end with the input", arguments: KernelTable.supported, cases)
  func int8(table: KernelTable, edge: GeometryCase) {
    let geometry = edge.geometry
    let input = GuardedMemory(geometry.inputCount)
    let panels = (geometry.outputChannels + 15) / 16
    let whole = WorkRange(rows: 0..<geometry.outputRows, panels: 0..<panels)
    let depthwise = table.depthwiseInt8Weights(geometry).byteCount
    let weights = Memory(max(depthwise, table.convolutionInt8Weights(geometry).byteCount))
    let scratch = Memory(
      max(table.depthwiseInt8ScratchBytes(geometry), table.convolutionInt8ScratchBytes(geometry)))
    let output = Memory(geometry.outputCount)
    let first = unsafe input.end - geometry.inputCount
    let arguments = unsafe ConvolutionInt8Arguments(
      geometry: geometry, input: UnsafePointer(first.assumingMemoryBound(to: Int8.self)),
      weights: weights.raw, output: output.raw.assumingMemoryBound(to: Int8.self),
      inputZeroPoint: 3, bounds: OutputBoundsInt8(zeroPoint: 0, minimum: 7, maximum: 7),
      scratch: scratch.raw)
    table.depthwiseInt8(arguments, whole)
    #expect(bytes(output, geometry.outputCount).allSatisfy { $0 == 7 })
    table.convolutionInt8(arguments, whole)
    #expect(bytes(output, geometry.outputCount).allSatisfy { $0 == 7 })
  }

  @Test("float32 windows end with the input", arguments: KernelTable.supported, cases)
  func float32(table: KernelTable, edge: GeometryCase) {
    let geometry = edge.geometry
    let input = GuardedMemory(geometry.inputCount * 4)
    let panels = (geometry.outputChannels + 15) / 16
    let whole = WorkRange(rows: 0..<geometry.outputRows, panels: 0..<panels)
    let depthwise = table.depthwiseFloat32Weights(geometry).byteCount
    let weights = Memory(max(depthwise, table.convolutionFloat32Weights(geometry).byteCount))
    let scratch = Memory(
      max(
        table.depthwiseFloat32ScratchBytes(geometry), table.convolutionFloat32ScratchBytes(geometry)
      ))
    let output = Memory(geometry.outputCount * 4)
    let first = unsafe input.end - geometry.inputCount * 4
    let arguments = unsafe ConvolutionFloat32Arguments(
      geometry: geometry, input: UnsafePointer(first.assumingMemoryBound(to: Float.self)),
      weights: weights.raw, output: output.raw.assumingMemoryBound(to: Float.self),
      bounds: OutputBoundsFloat32(minimum: 7, maximum: 7), scratch: scratch.raw)
    table.depthwiseFloat32(arguments, whole)
    #expect(floats(output, geometry.outputCount).allSatisfy { $0 == 7 })
    table.convolutionFloat32(arguments, whole)
    #expect(floats(output, geometry.outputCount).allSatisfy { $0 == 7 })
  }

  private func bytes(_ memory: Memory, _ count: Int) -> [Int8] {
    unsafe Array(
      UnsafeBufferPointer(start: memory.raw.assumingMemoryBound(to: Int8.self), count: count))
  }

  private func floats(_ memory: Memory, _ count: Int) -> [Float] {
    unsafe Array(
      UnsafeBufferPointer(start: memory.raw.assumingMemoryBound(to: Float.self), count: count))
  }
}
