import ByteParsing
import Glibc
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import TFLiteImport
import TestSupport
import Testing

/// Operators that are several nodes in the graph, against their definitions.
@Suite("Composite operators")
struct CompositeOperatorTests {
  private static func raw(_ numbers: [Float]) -> [UInt8] {
    numbers.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
    }
  }

  /// What the second input of a memory that goes both ways is for.
  enum SecondInput: CaseIterable { case absent, backwardOnly, weighted }

  struct Memory: Sendable {
    var isLong = true
    var secondInput = SecondInput.absent
    var merges = false
    var isTimeMajor = false

    static let all = [true, false].flatMap { isLong in
      SecondInput.allCases.flatMap { second in
        [(false, true), (true, false)].map { merges, isTimeMajor in
          Memory(
            isLong: isLong, secondInput: second, merges: merges, isTimeMajor: isTimeMajor)
        }
      }
    }
  }

  private static let (batches, steps, inputs, units) = (2, 3, 4, 5)

  /// A file with one memory, and its weights by operand.
  private struct MemoryFile {
    var file: SingleOperatorFile
    var operands: [Int32]
    var weights: [Int: [Double]] = [:]
    var random = SplitMix64(seed: 11)

    init(_ memory: Memory) {
      file = SingleOperatorFile(memory.isLong ? 52 : 46)
      operands = [Int32](repeating: -1, count: memory.isLong ? 48 : 12)
    }

    mutating func weights(_ operand: Int, _ shape: [Int]) {
      let numbers = (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) }
      weights[operand] = numbers.map { Double($0) }
      operands[operand] = file.constant(shape, numbers)
    }

    mutating func state(_ operand: Int) {
      operands[operand] = file.tensor([batches, units], isVariable: true)
    }
  }

  /// The place of a direction's first weights, its first state, and the weights of the second input.
  private func places(_ memory: Memory, _ direction: Int) -> (weights: Int, state: Int, second: Int) {
    memory.isLong
      ? (1 + 17 * direction, 35 + 2 * direction, 40 + 4 * direction)
      : (1 + 4 * direction, 4 + 4 * direction, 10 + direction)
  }

  private func file(_ memory: Memory) -> (bytes: [UInt8], weights: [Int: [Double]]) {
    var made = MemoryFile(memory)
    let (inputs, units) = (Self.inputs, Self.units)
    let leading = memory.isTimeMajor ? [Self.steps, Self.batches] : [Self.batches, Self.steps]
    made.operands[0] = made.file.input(leading + [inputs])
    if memory.secondInput != .absent {
      made.operands[memory.isLong ? 39 : 9] = made.file.input(leading + [inputs])
    }
    for direction in 0..<2 {
      let (weights, state, second) = places(memory, direction)
      for gate in 0..<(memory.isLong ? 4 : 1) {
        made.weights(weights + gate, [units, inputs])
        made.weights(weights + (memory.isLong ? 4 : 1) + gate, [units, units])
        made.weights(weights + (memory.isLong ? 11 : 2) + gate, [units])
        if memory.secondInput == .weighted { made.weights(second + gate, [units, inputs]) }
      }
      for place in 0..<(memory.isLong ? 2 : 1) { made.state(state + place) }
    }
    let results = memory.merges ? [2 * units] : [units, units]
    let outputs = results.map { made.file.output(leading + [$0]) }
    let merges: FlatBufferField = .int8(memory.merges ? 1 : 0)
    let isTimeMajor: FlatBufferField = .int8(memory.isTimeMajor ? 1 : 0)
    let options: [FlatBufferField] =
      memory.isLong
      ? [.int8(4), .float(0), .float(0), merges, isTimeMajor] : [isTimeMajor, .int8(4), merges]
    let bytes = made.file.bytes(
      made.operands, outputs, optionsType: memory.isLong ? 69 : 70, options: options)
    return (bytes, made.weights)
  }

  /// One direction over `sequence`, `[step][input]`, for one batch; the states go on.
  private func run(
    _ memory: Memory, _ weights: [Int: [Double]], direction: Int,
    _ sequence: [(first: [Double], second: [Double])], hidden: inout [Double],
    cells: inout [Double]
  ) -> [[Double]] {
    let (own, _, other) = places(memory, direction)
    let gates = memory.isLong ? 4 : 1
    func product(_ operand: Int, _ row: Int, _ vector: [Double]) -> Double {
      guard let matrix = weights[operand] else { return 0 }
      return vector.indices.reduce(0) { $0 + matrix[row * vector.count + $1] * vector[$1] }
    }
    return sequence.map { moment in
      let old = hidden
      for unit in 0..<Self.units {
        let sums = (0..<gates).map { gate in
          product(own + gate, unit, moment.first) + product(own + gates + gate, unit, old)
            + (memory.secondInput == .weighted ? product(other + gate, unit, moment.second) : 0)
            + (weights[own + (memory.isLong ? 11 : 2) + gate]?[unit] ?? 0)
        }
        guard memory.isLong else {
          hidden[unit] = tanh(sums[0])
          continue
        }
        func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        cells[unit] = logistic(sums[1]) * cells[unit] + logistic(sums[0]) * tanh(sums[2])
        hidden[unit] = logistic(sums[3]) * tanh(cells[unit])
      }
      return hidden
    }
  }

  @Test("a memory goes both ways through its sequence", arguments: Memory.all)
  func bothWays(memory: Memory) throws {
    let (bytes, weights) = file(memory)
    let running = try RunningModel(ByteView(bytes), .best)
    let (batches, steps, inputs, units) = (Self.batches, Self.steps, Self.inputs, Self.units)
    var random = SplitMix64(seed: 12)
    let zeros = [[Double]](repeating: [Double](repeating: 0, count: units), count: batches)
    var (hidden, cells) = ([zeros, zeros], [zeros, zeros])
    for _ in 0..<2 {
      let given = (0..<running.model.inputs.count).map { _ in
        (0..<batches * steps * inputs).map { _ in Float.random(in: -1...1, using: &random) }
      }
      func row(_ batch: Int, _ step: Int) -> Int {
        memory.isTimeMajor ? step * batches + batch : batch * steps + step
      }
      func vector(_ input: Int, _ batch: Int, _ step: Int) -> [Double] {
        given[input][(row(batch, step) * inputs)...].prefix(inputs).map { Double($0) }
      }
      let width = memory.merges ? 2 * units : units
      var expected = [[Double]](
        repeating: [Double](repeating: 0, count: batches * steps * width),
        count: memory.merges ? 1 : 2)
      for (batch, direction) in (0..<2 * batches).map({ ($0 / 2, $0 % 2) }) {
        let order = direction == 0 ? Array(0..<steps) : (0..<steps).reversed()
        let sequence = order.map { step in
          let first = vector(
            memory.secondInput == .backwardOnly ? direction : 0, batch, step)
          return (first, memory.secondInput == .weighted ? vector(1, batch, step) : [])
        }
        let results = run(
          memory, weights, direction: direction, sequence, hidden: &hidden[direction][batch],
          cells: &cells[direction][batch])
        for (step, result) in zip(order, results) {
          let start = row(batch, step) * width + (memory.merges ? direction * units : 0)
          for (unit, value) in result.enumerated() {
            expected[memory.merges ? 0 : direction][start + unit] = value
          }
        }
      }
      let outputs = running.outputs(for: given.map(Self.raw)).map(floats)
      for (actual, expected) in zip(outputs, expected) {
        #expect(actual.count == expected.count)
        #expect(zip(actual, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
      }
    }
  }

  @Test("a memory that goes both ways and lacks operands is refused")
  func memoryRefusals() throws {
    for isLong in [true, false] {
      var file = SingleOperatorFile(isLong ? 52 : 46)
      let x = file.input([1, 2, 4])
      let outputs = [file.output([1, 2, 5]), file.output([1, 2, 5])]
      for operands in [[x], [Int32](repeating: -1, count: isLong ? 48 : 12)] {
        let bytes = file.bytes(operands, outputs)
        #expect(throws: TFLiteError.self) { try TFLiteModel.graph(from: ByteView(bytes)) }
      }
    }
  }

  @Test(
    "numbers are rounded to those of codes",
    arguments: [
      (-1, 1.02, 8, false), (-6, 6, 8, true), (0.5, 6, 4, false), (-3, -0.25, 16, false),
      (-0.3, 2.9, 2, false),
    ] as [(Float, Float, Int, Bool)])
  func fakeQuantization(minimum: Float, maximum: Float, bits: Int, isNarrow: Bool) throws {
    var file = SingleOperatorFile(80)
    let (x, y) = (file.input([101]), file.output([101]))
    let bytes = file.bytes(
      [x], [y], optionsType: 58,
      options: [
        .float(minimum), .float(maximum), .int32(Int32(bits)), .int8(isNarrow ? 1 : 0),
      ])
    let running = try RunningModel(ByteView(bytes), .best)
    let input = (0..<101).map { Float($0 - 50) * 0.17 }
    let actual = floats(running.outputs(for: [Self.raw(input)])[0])
    let (low, high) = (isNarrow ? 1.0 : 0.0, exp2(Double(bits)) - 1)
    let scale = Double(maximum - minimum) / (high - low)
    let zero = max(low, min(high, (low - Double(minimum) / scale).rounded()))
    for (x, y) in zip(input, actual) {
      let code = max(low, min(high, (Double(x) / scale + zero).rounded()))
      #expect(abs(Double(y) - (code - zero) * scale) < 1e-5, "\(x)")
    }
  }

  @Test("bounds without codes between them are refused")
  func fakeQuantizationRefusals() {
    for (minimum, maximum, bits) in [(1, 1, 8), (2, 1, 8), (0, 1, 1), (0, 1, 17), (0, .infinity, 8)]
      as [(Float, Float, Int32)]
    {
      var file = SingleOperatorFile(80)
      let (x, y) = (file.input([4]), file.output([4]))
      let bytes = file.bytes(
        [x], [y], optionsType: 58, options: [.float(minimum), .float(maximum), .int32(bits)])
      #expect(throws: TFLiteError.graph(.parameterInvalid(node: 0))) {
        try TFLiteModel.graph(from: ByteView(bytes))
      }
    }
  }

  /// The extents of a transposed convolution: the result's, and how its window moves.
  struct Volume: Sendable {
    var result = [4, 5, 3]
    var kernel = [2, 3, 1]
    var stride = [2, 1, 3]
    var dilation = [1, 1, 1]
    var isSame = true
    var hasBias = false

    /// Extents of the input, and padding before each axis: those of the convolution that is transposed.
    var places: [(count: Int, before: Int)] {
      (0..<3).map { axis in
        let reach = (kernel[axis] - 1) * dilation[axis] + 1
        guard isSame else { return ((result[axis] - reach) / stride[axis] + 1, 0) }
        let count = (result[axis] + stride[axis] - 1) / stride[axis]
        return (count, max(0, (count - 1) * stride[axis] + reach - result[axis]) / 2)
      }
    }
  }

  @Test(
    "a transposed convolution in three dimensions adds a window for each element",
    arguments: [
      Volume(), Volume(stride: [1, 1, 1], hasBias: true),
      Volume(result: [7, 6, 5], kernel: [3, 2, 3], stride: [2, 2, 1], isSame: false),
      Volume(result: [5, 5, 4], kernel: [2, 3, 2], stride: [1, 2, 1], dilation: [2, 1, 2], hasBias: true),
    ], KernelTable.supported)
  func transposedConvolution(volume: Volume, table: KernelTable) throws {
    var random = SplitMix64(seed: 14)
    let (channels, outputs) = (3, 17)
    let (places, kernel, result) = (volume.places, volume.kernel, volume.result)
    func noise(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
    }
    let from = places.map(\.count)
    let weights = noise(kernel.reduce(outputs * channels, *))
    let data = noise(2 * from.reduce(channels, *))
    let bias = volume.hasBias ? noise(outputs) : [Float](repeating: 0, count: outputs)
    var file = SingleOperatorFile(141)
    var operands = [
      file.constant([5], [2] + result.map { Int32($0) } + [Int32(outputs)]),
      file.constant(kernel + [outputs, channels], weights), file.input([2] + from + [channels]),
    ]
    if volume.hasBias { operands.append(file.constant([outputs], bias)) }
    let output = file.output([2] + result + [outputs])
    let options: [FlatBufferField] =
      [.int8(volume.isSame ? 0 : 1)] + [0, 2, 1].map { .int32(Int32(volume.stride[$0])) }
      + [.int8(0)] + [0, 2, 1].map { .int32(Int32(volume.dilation[$0])) }
    let bytes = file.bytes(operands, [output], optionsType: 106, options: options)
    var expected = (0..<2 * result.reduce(outputs, *)).map { Double(bias[$0 % outputs]) }
    let (taps, elements) = (kernel.reduce(1, *), from.reduce(1, *))
    for (element, tap) in (0..<2 * elements * taps).map({ ($0 / taps, $0 % taps) }) {
      let (n, rest) = (element / elements, element % elements)
      let at = [rest / (from[1] * from[2]), rest / from[2] % from[1], rest % from[2]]
      let k = [tap / (kernel[1] * kernel[2]), tap / kernel[2] % kernel[1], tap % kernel[2]]
      let to = (0..<3).map { axis in
        at[axis] * volume.stride[axis] - places[axis].before + k[axis] * volume.dilation[axis]
      }
      guard zip(to, result).allSatisfy({ (0..<$1).contains($0) }) else { continue }
      let pixel = ((n * result[0] + to[0]) * result[1] + to[1]) * result[2] + to[2]
      for (o, c) in (0..<outputs * channels).map({ ($0 / channels, $0 % channels) }) {
        expected[pixel * outputs + o] +=
          Double(data[element * channels + c])
          * Double(weights[(tap * outputs + o) * channels + c])
      }
    }
    let running = try RunningModel(ByteView(bytes), table)
    let actual = floats(running.outputs(for: [Self.raw(data)])[0])
    #expect(actual.count == expected.count)
    #expect(zip(actual, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
  }

  @Test("a transposed convolution whose shape does not fit its window is refused")
  func transposedConvolutionRefusals() {
    for shape in [[1, 5, 4, 4, 2], [1, 4, 4, 4, 3], [2, 4, 4, 4, 2], [1, 4, 4, 2]] as [[Int32]] {
      var file = SingleOperatorFile(141)
      let operands = [
        file.constant([shape.count], shape),
        file.constant([1, 1, 1, 2, 3], [Float](repeating: 1, count: 6)),
        file.input([1, 4, 4, 4, 3]),
      ]
      let output = file.output([1, 4, 4, 4, 2])
      let bytes = file.bytes(
        operands, [output], optionsType: 106,
        options: [.int8(1), .int32(1), .int32(1), .int32(1)])
      #expect(throws: TFLiteError.self) { try TFLiteModel.graph(from: ByteView(bytes)) }
    }
  }

  @Test(
    "numbers are put at their places", arguments: [0, 1, 2], [true, false])
  func sparseToDense(rank: Int, isScalar: Bool) throws {
    var file = SingleOperatorFile(68, version: 3)
    let places: [Int32] = [[2], [0, 3, 3], [0, 1, 1, 0, 1, 2]][rank]
    let count = [1, 3, 3][rank]
    let shape: [Int32] = rank == 2 ? [2, 3] : [4]
    let values: [Float] = isScalar ? [7] : Array([7, 8, 9][..<count])
    let operands = [
      file.constant([[], [3], [3, 2]][rank], places), file.constant([shape.count], shape),
      file.input(isScalar ? [] : [count]), file.constant([], [-1] as [Float]),
    ]
    let output = file.output(shape.map { Int($0) })
    let bytes = file.bytes(operands, [output])
    var expected = [Float](repeating: -1, count: Int(shape.reduce(1, *)))
    for index in 0..<count {
      let place = rank == 2 ? places[2 * index] * 3 + places[2 * index + 1] : places[index]
      expected[Int(place)] = values[isScalar ? 0 : index]
    }
    let running = try RunningModel(ByteView(bytes), .best)
    #expect(floats(running.outputs(for: [Self.raw(values)])[0]) == expected)
  }

  @Test(
    "a plain layer with weights of codes quantises its rows", arguments: [true, false],
    KernelTable.supported)
  func hybridLayer(isAsymmetric: Bool, table: KernelTable) throws {
    var random = SplitMix64(seed: 15)
    let (steps, inputs, units, scale) = (3, 7, 5, Float(0.01))
    func codes(_ count: Int) -> [Int8] {
      (0..<count).map { _ in Int8.random(in: -127...127, using: &random) }
    }
    let (own, recurrent) = (codes(units * inputs), codes(units * units))
    let bias = (0..<units).map { _ in Float.random(in: -1...1, using: &random) }
    var file = SingleOperatorFile(35, version: 3)
    func matrix(_ codes: [Int8], _ columns: Int, _ file: inout SingleOperatorFile) -> Int32 {
      file.constant(
        [units, columns], type: 9, bytes: codes.map { UInt8(bitPattern: $0) }, scales: [scale])
    }
    let operands = [
      file.input([1, steps, inputs]), matrix(own, inputs, &file),
      matrix(recurrent, units, &file), file.constant([units], bias),
      file.tensor([1, units], isVariable: true),
    ]
    let output = file.output([1, steps, units])
    let bytes = file.bytes(
      operands, [output], optionsType: 31,
      options: [.int8(0), .int8(4), .int8(isAsymmetric ? 1 : 0)])
    /// What is left of a row after it was codes.
    func met(_ row: [Float]) -> [Double] {
      let (low, high) = (min(row.min() ?? 0, 0), max(row.max() ?? 0, 0))
      guard low < high else { return row.map { Double($0) } }
      if !isAsymmetric {
        let step = Double(max(-low, high)) / 127
        return row.map { (Double($0) / step).rounded() * step }
      }
      let step = Double(high - low) / 255
      let zero = (-128 - Double(low) / step).rounded()
      return row.map { (max(-128, min(127, (Double($0) / step + zero).rounded())) - zero) * step }
    }
    let running = try RunningModel(ByteView(bytes), table)
    var state = [Float](repeating: 0, count: units)
    for _ in 0..<2 {
      let data = (0..<steps * inputs).map { _ in Float.random(in: -1...1, using: &random) }
      let actual = floats(running.outputs(for: [Self.raw(data)])[0])
      for step in 0..<steps {
        let (x, h) = (met(Array(data[(step * inputs)...].prefix(inputs))), met(state))
        for unit in 0..<units {
          let fromInput = x.indices.reduce(0) { $0 + Double(own[unit * inputs + $1]) * x[$1] }
          let fromState = h.indices.reduce(0) { $0 + Double(recurrent[unit * units + $1]) * h[$1] }
          let expected = tanh(Double(bias[unit]) + Double(scale) * (fromInput + fromState))
          // A code next to where it rounds may fall either way.
          #expect(abs(Double(actual[step * units + unit]) - expected) < 0.01)
        }
        state = Array(actual[(step * units)...].prefix(units))
      }
    }
  }

  @Test("sums of codes go beyond what codes hold", arguments: KernelTable.supported)
  func sumsOfCodes(table: KernelTable) throws {
    let codes: [[Int8]] = [[100, -100, 127], [90, -90, -3], [-120, 120, 5], [-60, 63, 9]]
    var file = SingleOperatorFile(106)
    let inputs = codes.map { _ in file.input([3], type: 9, scales: [0.5]) }
    let output = file.output([3], type: 9, scales: [1])
    let bytes = file.bytes(inputs, [output])
    let given = codes.map { $0.map { UInt8(bitPattern: $0) } }
    let actual = try RunningModel(ByteView(bytes), table).outputs(for: given)[0]
    // Half of 10, −7 and 138.
    #expect(actual.map { Int8(bitPattern: $0) } == [5, -4, 69])
  }

  @Test("codes are summed along an axis", arguments: KernelTable.supported)
  func cumulativeSum(table: KernelTable) throws {
    var file = SingleOperatorFile(128)
    let x = file.input([2, 4], type: 9, scales: [0.5])
    let axis = file.constant([], [1] as [Int32])
    let output = file.output([2, 4], type: 9, scales: [1])
    let bytes = file.bytes([x, axis], [output], optionsType: 102, options: [])
    let codes: [Int8] = [100, 100, 100, -40, -4, -6, 90, 8]
    let actual = try RunningModel(ByteView(bytes), table).outputs(
      for: [codes.map { UInt8(bitPattern: $0) }])[0]
    #expect(actual.map { Int8(bitPattern: $0) } == [50, 100, 127, 127, -2, -5, 40, 44])
  }

  @Test(
    "products of numbers with matrices of codes broadcast and turn",
    arguments: [([2, 5, 3], [2, 5, 4]), ([2, 5, 3], [5, 4]), ([2, 1, 5, 3], [3, 5, 4])])
  func hybridProducts(left: [Int], right: [Int]) throws {
    var random = SplitMix64(seed: 16)
    let (depth, rows, columns, scale) = (5, 3, 4, Float(0.01))
    let codes = (0..<right.reduce(1, *)).map { _ in Int8.random(in: -127...127, using: &random) }
    let data = (0..<left.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) }
    let batch = left.count == 4 ? [2, 3] : [2]
    var file = SingleOperatorFile(126, version: 4)
    let operands = [
      file.input(left),
      file.constant(
        right, type: 9, bytes: codes.map { UInt8(bitPattern: $0) }, scales: [scale]),
    ]
    let output = file.output(batch + [rows, columns])
    // The left matrices are given by columns.
    let bytes = file.bytes(operands, [output], optionsType: 101, options: [.int8(1), .int8(0)])
    let actual = floats(try RunningModel(ByteView(bytes), .best).outputs(for: [Self.raw(data)])[0])
    #expect(actual.count == batch.reduce(rows * columns, *))
    for (place, value) in actual.enumerated() {
      let (matrix, row, column) = (place / (rows * columns), place / columns % rows, place % columns)
      let own = left.count == 4 ? matrix / 3 : matrix
      let other = right.count == 2 ? 0 : left.count == 4 ? matrix % 3 : matrix
      let expected = (0..<depth).reduce(0.0) { sum, k in
        sum + Double(data[(own * depth + k) * rows + row]) * Double(scale)
          * Double(codes[(other * depth + k) * columns + column])
      }
      // A row of numbers is rounded to codes.
      #expect(abs(Double(value) - expected) < 0.03)
    }
  }

  @Test(
    "a memory of 16-bit codes follows its formula", arguments: [true, false],
    KernelTable.supported)
  func wideMemory(isTimeMajor: Bool, table: KernelTable) throws {
    var random = SplitMix64(seed: 17)
    let (batches, steps, inputs, units) = (2, 3, 4, 5)
    let (inputScale, weightScale) = (Float(0x1p-14), Float(0x1p-7))
    let leading = isTimeMajor ? [steps, batches] : [batches, steps]
    var file = SingleOperatorFile(44, version: 5)
    var operands = [Int32](repeating: -1, count: 24)
    operands[0] = file.input(leading + [inputs], type: 7, scales: [inputScale])
    var weights: [[Int8]] = []
    for (place, columns) in (0..<8).map({ (1 + $0, $0 < 4 ? inputs : units) }) {
      let codes = (0..<units * columns).map { _ in Int8.random(in: -127...127, using: &random) }
      weights.append(codes)
      operands[place] = file.constant(
        [units, columns], type: 9, bytes: codes.map { UInt8(bitPattern: $0) },
        scales: [weightScale])
    }
    var biases: [[Int64]] = []
    for gate in 0..<4 {
      biases.append((0..<units).map { _ in Int64.random(in: -(1 << 20)...(1 << 20), using: &random) })
      operands[12 + gate] = file.constant(
        [units], type: 4,
        bytes: biases[gate].flatMap { value in
          (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) }
        }, scales: [inputScale * weightScale])
    }
    operands[18] = file.tensor([batches, units], type: 7, isVariable: true, scales: [0x1p-15])
    operands[19] = file.tensor([batches, units], type: 7, isVariable: true, scales: [0x1p-11])
    let output = file.output(leading + [units], type: 7, scales: [0x1p-15])
    let bytes = file.bytes(
      operands, [output], optionsType: 71,
      options: [.int8(4), .float(0), .float(0), .int8(isTimeMajor ? 1 : 0)])
    let running = try RunningModel(ByteView(bytes), table)
    var hidden = [[Double]](repeating: [Double](repeating: 0, count: units), count: batches)
    var cells = hidden
    func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    for _ in 0..<2 {
      let codes = (0..<batches * steps * inputs).map { _ in
        Int16.random(in: -16384...16384, using: &random)
      }
      let raw = codes.flatMap {
        [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
      }
      let result = running.outputs(for: [raw])[0]
      for (batch, step) in (0..<batches * steps).map({ ($0 / steps, $0 % steps) }) {
        let row = isTimeMajor ? step * batches + batch : batch * steps + step
        let x = codes[(row * inputs)...].prefix(inputs).map { Double($0) * Double(inputScale) }
        let old = hidden[batch]
        for unit in 0..<units {
          let sums = (0..<4).map { gate -> Double in
            let own = (0..<inputs).reduce(0.0) {
              $0 + Double(weights[gate][unit * inputs + $1]) * x[$1]
            }
            let rest = (0..<units).reduce(own) {
              $0 + Double(weights[4 + gate][unit * units + $1]) * old[$1]
            }
            return Double(weightScale)
              * (rest + Double(biases[gate][unit]) * Double(inputScale))
          }
          cells[batch][unit] =
            logistic(sums[1]) * cells[batch][unit] + logistic(sums[0]) * tanh(sums[2])
          hidden[batch][unit] = logistic(sums[3]) * tanh(cells[batch][unit])
          let place = 2 * (row * units + unit)
          let code = Int16(bitPattern: UInt16(result[place]) | UInt16(result[place + 1]) << 8)
          #expect(abs(Double(code) * 0x1p-15 - hidden[batch][unit]) < 0.004)
        }
      }
    }
  }
}
