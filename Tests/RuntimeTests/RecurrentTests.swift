import ByteParsing
import Glibc
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Operators with a state")
struct RecurrentTests {
  /// The extents of a memory under test.
  struct Sizes: Sendable {
    var batches = 2
    var steps = 3
    var inputs = 5
    var cells = 11
    var couplesInputGate = false
    var hasPeepholes = false
    var isTimeMajor = false
    /// Weights and peepholes are codes.
    var hasCodes = false
  }

  static let sizes = [
    Sizes(), Sizes(batches: 1, steps: 4, inputs: 8, cells: 8, hasPeepholes: true),
    Sizes(inputs: 1, cells: 1, couplesInputGate: true, isTimeMajor: true),
    Sizes(hasCodes: true),
    Sizes(couplesInputGate: true, hasCodes: true),
    Sizes(hasPeepholes: true, isTimeMajor: true, hasCodes: true),
  ]

  /// A graph of one node, with its operands as numbers.
  private struct Memory {
    var graph: Graph
    var constants: [Int: [Float]] = [:]

    init(_ sizes: Sizes, _ random: inout SplitMix64) {
      let leading = sizes.isTimeMajor ? [sizes.steps, sizes.batches] : [sizes.batches, sizes.steps]
      var shapes: [Int: Shape] = [0: Shape(leading + [sizes.inputs])]
      for gate in (sizes.couplesInputGate ? 1 : 0)..<4 {
        shapes[LSTM.inputWeights + gate] = [sizes.cells, sizes.inputs]
        shapes[LSTM.recurrentWeights + gate] = [sizes.cells, sizes.cells]
        shapes[LSTM.biases + gate] = [sizes.cells]
      }
      if sizes.hasPeepholes { for place in 9..<12 { shapes[place] = [sizes.cells] } }
      shapes[LSTM.outputState] = [sizes.batches, sizes.cells]
      shapes[LSTM.cellState] = [sizes.batches, sizes.cells]
      var values: [Value] = []
      var operands: [ValueID?] = Array(repeating: nil, count: 20)
      for place in shapes.keys.sorted() {
        guard let shape = shapes[place] else { continue }
        var value = Value(name: "\(place)", type: TensorType(.float32, shape))
        if ![0, LSTM.outputState, LSTM.cellState].contains(place) {
          let numbers = (0..<(shape.elementCount ?? 0)).map { _ in
            Float.random(in: -1...1, using: &random)
          }
          constants[place] = numbers
          value.constant = ByteView(numbers)
          if sizes.hasCodes, place < LSTM.biases {
            let codes = numbers.map { Int8(($0 * 127).rounded()) }
            constants[place] = codes.map { Float($0) * 0.007 }
            value.constant = ByteView(codes)
            value.type.dataType = .int8
            value.type.quantization = Quantization(scale: 0.007, zeroPoint: 0)
          }
        }
        operands[place] = ValueID(values.count)
        values.append(value)
      }
      let results = [Shape(leading + [sizes.cells]), [sizes.batches, sizes.cells], [sizes.batches, sizes.cells]]
      let outputs = results.indices.map { ValueID(values.count + $0) }
      values += results.map { Value(name: "result", type: TensorType(.float32, $0)) }
      let lstm = LSTM(activation: .tanh, isTimeMajor: sizes.isTimeMajor)
      graph = Graph(
        values: values, nodes: [Node(.recurrent(.lstm(lstm)), inputs: operands, outputs: outputs)],
        inputs: [ValueID(0)], outputs: [outputs[0]])
      graph.variables = zip([LSTM.outputState, LSTM.cellState], outputs.dropFirst()).map {
        Variable(current: operands[$0] ?? ValueID(0), next: $1)
      }
    }
  }

  /// The formula in double precision, for one run; the states go on.
  private func expected(
    _ memory: Memory, _ sizes: Sizes, _ input: [Float], hidden: inout [Double],
    cells: inout [Double]
  ) -> [Double] {
    /// What is left of a row quantised by its own range, where weights are codes.
    func met(_ row: [Double]) -> [Double] {
      let range = Float(row.map(abs).max() ?? 0)
      guard sizes.hasCodes, range > 0 else { return row }
      return row.map {
        let code = (Float($0) * (127 / range)).rounded(.toNearestOrAwayFromZero)
        return Double(code) * Double(range / 127)
      }
    }
    let n = sizes.cells
    var output = Array(repeating: 0.0, count: sizes.batches * sizes.steps * n)
    for step in 0..<sizes.steps {
      for batch in 0..<sizes.batches {
        let row = sizes.isTimeMajor ? step * sizes.batches + batch : batch * sizes.steps + step
        let x = met(input[row * sizes.inputs..<(row + 1) * sizes.inputs].map(Double.init))
        let h = met(Array(hidden[batch * n..<(batch + 1) * n]))
        func gate(_ gate: Int, _ i: Int, _ cell: Double, _ peephole: Int?) -> Double {
          var sum = Double(memory.constants[LSTM.biases + gate]?[i] ?? 0)
          for k in x.indices {
            sum += Double(memory.constants[LSTM.inputWeights + gate]?[i * x.count + k] ?? 0) * x[k]
          }
          for k in 0..<n {
            sum += Double(memory.constants[LSTM.recurrentWeights + gate]?[i * n + k] ?? 0) * h[k]
          }
          if let peephole { sum += Double(memory.constants[peephole]?[i] ?? 0) * cell }
          return sum
        }
        func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        for i in 0..<n {
          let old = cells[batch * n + i]
          let forget = logistic(gate(1, i, old, 10))
          let entry = sizes.couplesInputGate ? 1 - forget : logistic(gate(0, i, old, 9))
          let cell = forget * old + entry * tanh(gate(2, i, old, nil))
          cells[batch * n + i] = cell
          hidden[batch * n + i] = logistic(gate(3, i, cell, 11)) * tanh(cell)
          output[row * n + i] = hidden[batch * n + i]
        }
      }
    }
    return output
  }

  @Test("a float memory follows its formula over two runs", arguments: sizes, KernelTable.supported)
  func lstmFormula(sizes: Sizes, table: KernelTable) throws {
    var random = SplitMix64(seed: 11)
    let memory = Memory(sizes, &random)
    let running = try RunningGraph(memory.graph, table)
    var hidden = Array(repeating: 0.0, count: sizes.batches * sizes.cells)
    var cells = hidden
    for _ in 0..<2 {
      let input = (0..<sizes.batches * sizes.steps * sizes.inputs).map { _ in
        Float.random(in: -1...1, using: &random)
      }
      let actual = running.run([input])[0]
      let wanted = expected(memory, sizes, input, hidden: &hidden, cells: &cells)
      let furthest = zip(actual, wanted).map { abs(Double($0) - $1) }.max() ?? .infinity
      #expect(furthest < 2e-6)
    }
  }

  @Test("a layer over features and time sums its memories", arguments: KernelTable.supported)
  func svdfFormula(table: KernelTable) throws {
    var random = SplitMix64(seed: 12)
    let (inputs, units, rank, moments) = (3, 2, 2, 4)
    let shapes: [Shape] = [
      [1, inputs], [units * rank, inputs], [units * rank, moments], [units],
      [1, units * rank * moments], [1, units], [1, units * rank * moments],
    ]
    var numbers: [[Float]] = []
    var values = shapes.enumerated().map { Value(name: "\($0)", type: TensorType(.float32, $1)) }
    for (place, shape) in shapes.enumerated() {
      numbers.append(
        (0..<(shape.elementCount ?? 0)).map { _ in Float.random(in: -1...1, using: &random) })
      if (1...3).contains(place) { values[place].constant = ByteView(numbers[place]) }
    }
    var graph = Graph(
      values: values,
      nodes: [
        Node(
          .recurrent(.svdf(SVDF(rank: rank))), inputs: (0..<5).map { ValueID($0) },
          outputs: [ValueID(5), ValueID(6)])
      ], inputs: [ValueID(0)], outputs: [ValueID(5)])
    graph.variables = [Variable(current: ValueID(4), next: ValueID(6))]
    let running = try RunningGraph(graph, table)
    var memory = Array(repeating: Array(repeating: Float(0), count: moments), count: units * rank)
    for _ in 0..<6 {
      let input = (0..<inputs).map { _ in Float.random(in: -1...1, using: &random) }
      for filter in memory.indices {
        let feature = (0..<inputs).reduce(Float(0)) {
          $0 + numbers[1][filter * inputs + $1] * input[$1]
        }
        memory[filter] = memory[filter].dropFirst() + [feature]
      }
      let wanted = (0..<units).map { unit in
        (unit * rank..<(unit + 1) * rank).reduce(numbers[3][unit]) { sum, filter in
          (0..<moments).reduce(sum) { $0 + memory[filter][$1] * numbers[2][filter * moments + $1] }
        }
      }
      let actual = running.run([input])[0]
      #expect(zip(actual, wanted).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test(
    "a plain recurrent layer follows its formula and keeps its state", arguments: [true, false],
    KernelTable.supported)
  func rnnFormula(isTimeMajor: Bool, table: KernelTable) throws {
    var random = SplitMix64(seed: 13)
    let (batches, steps, inputs, units) = (2, 3, 5, 19)
    let leading = isTimeMajor ? [steps, batches] : [batches, steps]
    let shapes: [Shape] = [
      Shape(leading + [inputs]), [units, inputs], [units, units], [units], [batches, units],
      Shape(leading + [units]), [batches, units],
    ]
    var values = shapes.enumerated().map { Value(name: "\($0)", type: TensorType(.float32, $1)) }
    var numbers: [[Float]] = []
    for (place, shape) in shapes.enumerated() {
      numbers.append(
        (0..<(shape.elementCount ?? 0)).map { _ in Float.random(in: -0.5...0.5, using: &random) })
      if (1...3).contains(place) { values[place].constant = ByteView(numbers[place]) }
    }
    let activation: Activation = isTimeMajor ? .tanh : .relu
    var graph = Graph(
      values: values,
      nodes: [
        Node(
          .recurrent(.rnn(RNN(activation: activation, isTimeMajor: isTimeMajor))),
          inputs: (0..<5).map { ValueID($0) }, outputs: [ValueID(5), ValueID(6)])
      ], inputs: [ValueID(0)], outputs: [ValueID(5)])
    graph.variables = [Variable(current: ValueID(4), next: ValueID(6))]
    let running = try RunningGraph(graph, table)
    var state = Array(repeating: Array(repeating: 0.0, count: units), count: batches)
    for _ in 0..<2 {
      let actual = running.run([numbers[0]])[0]
      for step in 0..<steps {
        for batch in 0..<batches {
          let row = isTimeMajor ? step * batches + batch : batch * steps + step
          let next = (0..<units).map { unit -> Double in
            var sum = Double(numbers[3][unit])
            for i in 0..<inputs {
              sum += Double(numbers[1][unit * inputs + i]) * Double(numbers[0][row * inputs + i])
            }
            for i in 0..<units {
              sum += Double(numbers[2][unit * units + i]) * state[batch][i]
            }
            return isTimeMajor ? Glibc.tanh(sum) : max(sum, 0)
          }
          state[batch] = next
          for unit in 0..<units {
            #expect(abs(Double(actual[row * units + unit]) - next[unit]) < 1e-5)
          }
        }
      }
    }
  }

  @Test("real memories answer as the reference does, twice", arguments: KernelTable.supported)
  func realMemories(table: KernelTable) throws {
    for name in ["trained_lstm", "trained_lstm_int8"] {
      guard let path = SharedModels.path("tflite_micro/\(name).tflite") else { return }
      let folder = path + ".golden/"
      let running = try RunningModel(path, table)
      let input = try NumPyArray(path: folder + "c0_in_0.npy")
      for file in ["c0_out_0.npy", "c0_step2_out_0.npy"] {
        let output = running.outputs(for: [input.bytes])[0]
        let wanted = try NumPyArray(path: folder + file)
        if wanted.elementType == "|i1" {
          #expect(output == wanted.bytes)
        } else {
          #expect(zip(floats(output), wanted.float32).allSatisfy { abs($0 - $1) < 1e-5 })
        }
      }
    }
  }
}
