import ByteParsing
import Glibc
import KernelInterface
import ModelGraph
import Tensors

/// The steps of audio front ends, each one kernel call on one thread.
extension Lowering {
  mutating func lowerSignal(_ signal: Signal, _ node: Node) throws(RuntimeError) {
    let input = try operand(node, 0)
    let count = elements(node.outputs[0])
    switch signal {
    case .window(let shift):
      let weights = try operand(node, 1)
      try addSignal(
        .window(shift: Int32(shift), weights: elements(weights)), signal, node, count: count,
        operands: [source(input), source(weights)])
    case .autoScale:
      try addSignal(.autoScale, signal, node, count: count, operands: [source(input)])
    case .spectrum(let length):
      let inputs = shape(input).extents.last ?? 0
      try lowerTransform(length, signal, node, row: length + 2) { transform in
        transform.map { .spectrum($0, inputs: inputs) }
          ?? .realSpectrum(length: length, inputs: inputs)
      }
    case .inverseSpectrum(let length):
      try lowerTransform(length, signal, node, row: length) { transform in
        transform.map { .inverseSpectrum($0) } ?? .inverseRealSpectrum(length: length)
      }
    case .overlapAdd(let step):
      let frames = shape(input).extents.suffix(2).map { $0 }
      let sizes = OverlapSizes(
        frames: frames[0], size: frames[1], step: step, isReal: type(input).dataType == .float32)
      try addSignal(
        .overlapAdd(sizes), signal, node, count: count / max(frames[0] * step, 1),
        operands: [source(input), source(try operand(node, 1))])
    case .energy(let start, let end):
      try addSignal(
        .energy(start: start, end: end), signal, node, count: count, operands: [source(input)])
    case .filterBank(let channels):
      try checkFilterBank(channels, node)
      var operands: [Source] = []
      for place in 0...5 { operands.append(source(try operand(node, place))) }
      try addSignal(.filterBank, signal, node, count: count, operands: operands)
    case .squareRoot:
      try addSignal(
        .squareRoot, signal, node, count: count,
        operands: [source(input), source(try operand(node, 1))])
    case .subtractNoise(let parameters):
      try addSignal(
        .subtractNoise(NoiseWeights(parameters)), signal, node, count: count,
        operands: [source(input), source(try operand(node, 1))])
    case .gainControl(let shift):
      guard graph[try operand(node, 2)].constant != nil else { throw unsupported(node) }
      try addSignal(
        .gainControl(shift: UInt64(shift)), signal, node, count: count,
        operands: [source(input), source(try operand(node, 1)), source(try operand(node, 2))])
    case .logarithm(let scale, let bits):
      let table = (0...129).map { index -> Int32 in
        let fraction = Double(min(index, 128)) / 128
        return Int32((65536 * (Glibc.log2(1 + fraction) - fraction)).rounded())
      }
      try addSignal(
        .logarithm(scale: UInt32(scale), bits: UInt32(bits)), signal, node, count: count,
        operands: [source(input), .packed(pack(PackedConstant(table)))])
    }
  }

  private mutating func addSignal(
    _ step: SignalArguments.Step, _ signal: Signal, _ node: Node, count: Int,
    operands: [Source]
  ) throws(RuntimeError) {
    var destinations: [BufferID] = []
    for output in node.outputs { destinations.append(try destination(output)) }
    let (kernel, results) = (table.general.rare.signal, destinations)
    add(
      Step(
        description: description(node, signal.name),
        split: .whole(costNanoseconds: costNanoseconds(count, perNanosecond: 0.2))
      ) { memory in
        func place(_ index: Int) -> UnsafeRawPointer? {
          unsafe index < operands.count ? memory.raw(operands[index]) : nil
        }
        let arguments = unsafe SignalArguments(
          step: step, count: count,
          operands: (
            memory.raw(operands[0]), place(1), place(2), place(3), place(4), place(5)
          ),
          results: (
            memory.raw(results[0]), results.count > 1 ? memory.raw(results[1]) : nil
          ), scratch: memory.scratch(ofThread: 0))
        return { _, thread in
          var call = arguments
          unsafe call.scratch = memory.scratch(ofThread: thread)
          kernel(call)
        }
      })
  }

  /// A transform whose results have rows of `row` elements; `step` is given nil for one of real numbers.
  private mutating func lowerTransform(
    _ length: Int, _ signal: Signal, _ node: Node, row: Int,
    step: (FixedPointTransform?) -> SignalArguments.Step
  ) throws(RuntimeError) {
    let input = try operand(node, 0)
    let count = elements(node.outputs[0]) / row
    guard type(input).dataType != .float32 else {
      needScratch(bytesPerThread: 2 * length * MemoryLayout<Double>.stride)
      return try addSignal(
        step(nil), signal, node, count: count,
        operands: [source(input), .packed(pack(PackedConstant(Self.turns(length))))])
    }
    let transform = FixedPointTransform(length: length, isWide: type(input).dataType == .int32)
    needScratch(bytesPerThread: transform.scratchBytes)
    var isInverse = false
    if case .inverseSpectrum = signal { isInverse = true }
    let table = Self.table(of: transform, sign: isInverse ? 1 : -1)
    try addSignal(
      step(transform), signal, node, count: count,
      operands: [source(input), .packed(pack(PackedConstant(table)))])
  }

  /// The table of a transform, with turns in the direction of `sign`; see `FixedPointTransform`.
  private static func table(of transform: FixedPointTransform, sign: Double) -> [Int32] {
    let half = transform.half
    // Steps of four as long as they divide what is left, then one of two.
    var factors: [Int] = []
    var rest = half
    while rest > 1 {
      factors.append(rest % 4 == 0 ? 4 : 2)
      rest /= factors[factors.count - 1]
    }
    let places = (0..<half).map { place -> Int32 in
      var (inner, rest, stride, source) = (half, place, 1, 0)
      for factor in factors {
        inner /= factor
        source += rest / inner * stride
        rest %= inner
        stride *= factor
      }
      return Int32(source)
    }
    let unit = Double(transform.isWide ? Int32.max : Int32(Int16.max))
    func turn(_ angle: Double) -> [Int32] {
      [Int32((0.5 + unit * Glibc.cos(angle)).rounded(.down)),
       Int32((0.5 + unit * Glibc.sin(angle)).rounded(.down))]
    }
    let turns = (0..<half).flatMap { turn(sign * 2 * Double.pi * Double($0) / Double(half)) }
    let splits = (0..<half / 2).flatMap {
      turn(sign * Double.pi * (Double($0 + 1) / Double(half) + 0.5))
    }
    return places + turns + splits
  }

  /// All that the bank's tables name must exist.
  private func checkFilterBank(_ channels: Int, _ node: Node) throws(RuntimeError) {
    var tables: [[Int]] = []
    for place in 3...5 {
      guard let bytes = graph[try operand(node, place)].constant?.array,
        bytes.count == 2 * (channels + 1)
      else { throw unsupported(node) }
      tables.append(
        stride(from: 0, to: bytes.count, by: 2).map {
          Int(Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8))
        })
    }
    let (bins, weights) = (elements(try operand(node, 0)), elements(try operand(node, 1)))
    for channel in 0...channels where tables[2][channel] > 0 {
      let width = tables[2][channel]
      guard tables[0][channel] >= 0, tables[0][channel] + width <= bins,
        tables[1][channel] >= 0, tables[1][channel] + width <= weights
      else { throw unsupported(node) }
    }
  }
}

extension NoiseWeights {
  fileprivate init(_ parameters: NoiseSubtraction) {
    self.init(
      smoothing: [parameters.smoothing, parameters.oddSmoothing],
      keeping: [parameters.keeping, parameters.oddKeeping],
      minimumRemaining: parameters.minimumRemaining, smoothingBits: parameters.smoothingBits,
      bits: parameters.bits, clamps: parameters.clamps)
  }
}
