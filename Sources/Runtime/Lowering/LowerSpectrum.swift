import Glibc
import KernelInterface
import ModelGraph
import Tensors

/// Fourier transforms and complex numbers.
extension Lowering {
  mutating func lowerSpectrum(_ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    guard let lengths = graph.integers(try operand(node, 1)), lengths.count == 2 else {
      throw unsupported(node)
    }
    let extents = shape(input).extents.suffix(2).map { $0 }
    let pictures = shape(input).extents.dropLast(2).reduce(1, *)
    let turns = pack(PackedConstant(Self.turns(lengths[1]) + Self.turns(lengths[0])))
    needScratch(
      bytesPerThread: SpectrumArguments.scratchBytes(height: lengths[0], width: lengths[1]))
    let kernel = table.general.rare.spectrum
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "spectrum"),
        split: WorkSplit(
          units: pictures, costNanoseconds: costNanoseconds(elements(output), perNanosecond: 0.05))
      ) { memory in
        let arguments = unsafe SpectrumArguments(
          inputHeight: extents[0], inputWidth: extents[1], height: lengths[0], width: lengths[1],
          input: memory.address(source), output: memory.address(destination),
          turns: memory.address(.packed(turns)),
          scratch: memory.scratch(ofThread: 0).assumingMemoryBound(to: Double.self))
        return { range, thread in
          var call = arguments
          unsafe call.scratch = memory.scratch(ofThread: thread).assumingMemoryBound(
            to: Double.self)
          kernel(call, range)
        }
      })
  }

  /// `exp(−2πik / count)` for half the circle, as pairs.
  static func turns(_ count: Int) -> [Double] {
    (0..<count / 2).flatMap { k in
      let angle = 2 * Double.pi * Double(k) / Double(count)
      return [Glibc.cos(angle), -Glibc.sin(angle)]
    }
  }

  mutating func lowerComplexPart(_ part: ComplexPart, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let count = elements(output)
    if part == .magnitude {
      let kernel = table.general.rare.magnitude
      let (source, destination) = (source(input), try destination(output))
      add(
        Step(description: description(node, "magnitude"), split: split(count, perNanosecond: 0.2)) {
          memory in
          let arguments = unsafe MagnitudeArguments(
            count: 0, input: memory.address(source), output: memory.address(destination))
          return { range, _ in
            var call = arguments
            call.count = range.count
            unsafe call.input += 2 * range.lowerBound
            unsafe call.output += range.lowerBound
            kernel(call)
          }
        })
      return
    }
    let copy = StridedCopy(extents: [count], strides: [2], offset: part == .real ? 0 : 1)
    let source = source(input)
    try addStridedCopy(
      copy, node, from: source, to: try destination(output), elementBytes: 4)
  }
}
