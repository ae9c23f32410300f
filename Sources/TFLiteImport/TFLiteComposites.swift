import ByteParsing
import ModelGraph
import Tensors

/// An operator of the file that is several nodes in the graph, made when the graph is put together.
struct TFLiteComposite {
  enum Kind {
    case bidirectionalLSTM(LSTM, mergesOutputs: Bool)
    case bidirectionalRNN(RNN, mergesOutputs: Bool)
    case fakeQuantize(FakeQuantization)
    /// Gives each row of samples so many samples later.
    case delay(length: Int)
    case cutFrames(FrameCutting)
    case stackFrames(FrameStacking)
    /// A transposed convolution in three dimensions.
    case transposeConvolution(Convolution3D)
    /// Numbers at places of a tensor that is one number elsewhere.
    case sparseToDense
    /// The newest numbers behind those kept, of which the oldest goes.
    case shiftSlots
    case transposeConvolutionBias(Window2D, isSame: Bool)
    case poolWithPlaces(WindowPool)
    case unpool(WindowPool)
  }

  /// The operator's place in the file.
  var index: Int
  var kind: Kind
  var inputs: [ValueID?]
  var outputs: [ValueID]

  func renamed(_ name: (ValueID) -> ValueID) -> TFLiteComposite {
    TFLiteComposite(
      index: index, kind: kind, inputs: inputs.map { $0.map(name) }, outputs: outputs.map(name))
  }

  /// Throws unless there are as many operands and results as the operator has.
  func expect(operands: Int, results: Int) throws(TFLiteError) {
    guard inputs.count == operands else {
      throw .graph(
        .operandCount(node: index, expected: operands...operands, actual: inputs.count))
    }
    guard outputs.count == results else {
      throw .graph(.resultCount(node: index, expected: results, actual: outputs.count))
    }
  }

  func operand(_ place: Int) throws(TFLiteError) -> ValueID {
    guard let id = inputs[place] else {
      throw .graph(.operandMissing(node: index, operand: place))
    }
    return id
  }

  var parameterInvalid: TFLiteError { .graph(.parameterInvalid(node: index)) }
}

extension TFLiteOperatorReader {
  /// The operator as several nodes; nil when it is not one of those.
  func composite(
    inputs: [ValueID?], outputs: [ValueID]
  ) throws(TFLiteError) -> TFLiteComposite? {
    let kind: TFLiteComposite.Kind
    switch builtin {
    case .bidirectionalSequenceLSTM: kind = try bidirectionalLSTM()
    case .bidirectionalSequenceRNN:
      let options = try options(70)
      kind = .bidirectionalRNN(
        RNN(
          activation: try activation(options, 1), isTimeMajor: try bool(options, 0),
          quantizesAsymmetrically: try bool(options, 3)),
        mergesOutputs: try bool(options, 2))
    case .fakeQuantize: kind = .fakeQuantize(try fakeQuantization())
    case .delay, .cutFrames, .stackFrames, .circularBuffer: kind = try streaming()
    case .transposeConvolution3D:
      var parameters = try convolution3D()
      parameters.isTransposed = true
      kind = .transposeConvolution(parameters)
    case .sparseToDense: kind = .sparseToDense
    case .transposeConvolutionBias, .maximumPoolIndices, .unpool: kind = try vision()
    default: return nil
    }
    return TFLiteComposite(index: index, kind: kind, inputs: inputs, outputs: outputs)
  }

  private func bidirectionalLSTM() throws(TFLiteError) -> TFLiteComposite.Kind {
    let options = try options(69)
    let isTimeMajor = try parsing { () throws(ParsingError) in
      try options?.integer(4, default: Int8(1)) ?? 1
    }
    return .bidirectionalLSTM(
      LSTM(
        activation: try activation(options, 0), cellClip: try float(options, 1),
        projectionClip: try float(options, 2), isTimeMajor: isTimeMajor != 0,
        quantizesAsymmetrically: try bool(options, 5)),
      mergesOutputs: try bool(options, 3))
  }

  private func fakeQuantization() throws(TFLiteError) -> FakeQuantization {
    let options = try options(58)
    return FakeQuantization(
      minimum: try float(options, 0), maximum: try float(options, 1),
      bits: try integer(options, 2), isNarrow: try bool(options, 3))
  }
}

extension TFLiteAssembly {
  /// Adds the nodes that `composite` is.
  mutating func expand(_ composite: TFLiteComposite) throws(TFLiteError) {
    switch composite.kind {
    case .bidirectionalLSTM(let lstm, let merges):
      try expandBothWays(.lstm(lstm), isTimeMajor: lstm.isTimeMajor, merges: merges, composite)
    case .bidirectionalRNN(let rnn, let merges):
      try expandBothWays(.rnn(rnn), isTimeMajor: rnn.isTimeMajor, merges: merges, composite)
    case .fakeQuantize(let parameters): try fakeQuantize(parameters, composite)
    case .delay(let length): try delay(length, composite)
    case .cutFrames(let parameters): try cutFrames(parameters, composite)
    case .stackFrames(let parameters): try stackFrames(parameters, composite)
    case .transposeConvolution(let parameters): try transposeConvolution(parameters, composite)
    case .sparseToDense: try sparseToDense(composite)
    case .shiftSlots: try shiftSlots(composite)
    case .transposeConvolutionBias(let window, let isSame):
      try transposeConvolution(window, isSame: isSame, composite)
    case .poolWithPlaces(let pool): try poolWithPlaces(pool, composite)
    case .unpool(let pool): try unpool(pool, composite)
    }
  }

  /// The type of an operand; that of one that does not exist is refused with the graph.
  func type(_ composite: TFLiteComposite, operand: Int) throws(TFLiteError) -> TensorType {
    let id = try composite.operand(operand)
    guard let type = type(id) else {
      throw .graph(.valueOutOfRange(index: id.index, count: valueCount))
    }
    return type
  }

  /// Adds a node of one result: `output`, or a value that is made.
  @discardableResult
  mutating func compute(
    _ operation: Operator, _ inputs: [ValueID?], _ type: TensorType, into output: ValueID? = nil
  ) -> ValueID {
    let result = output ?? append(type)
    add(Node(operation, inputs: inputs, outputs: [result]), intermediates: [])
    return result
  }

  /// Makes a constant; a scalar unless a shape is given.
  mutating func constant(_ numbers: [Int32], _ shape: Shape = []) -> ValueID {
    append(TensorType(.int32, shape), constant: ByteView(numbers))
  }

  mutating func constant(_ number: Float) -> ValueID {
    append(TensorType(.float32, []), constant: ByteView([number]))
  }
}

// MARK: Fake quantisation

/// Rounds numbers to those that codes of `bits` bits between two bounds stand for.
struct FakeQuantization {
  /// Codes have at least and at most so many bits.
  static let bitsRange = 2...16

  var minimum: Float
  var maximum: Float
  var bits: Int
  /// The lowest code is not used.
  var isNarrow: Bool
}

extension TFLiteAssembly {
  /// `round((clamp(x) − low) / scale) · scale + low`, where the bounds are moved so that zero has a code.
  ///
  /// - Source: TensorFlow's fake quantisation and the arithmetic of its Lite kernel.
  private mutating func fakeQuantize(
    _ parameters: FakeQuantization, _ composite: TFLiteComposite
  ) throws(TFLiteError) {
    try composite.expect(operands: 1, results: 1)
    let (minimum, maximum) = (parameters.minimum, parameters.maximum)
    guard FakeQuantization.bitsRange.contains(parameters.bits), minimum < maximum,
      minimum.isFinite, maximum.isFinite, (maximum - minimum).isFinite
    else { throw composite.parameterInvalid }
    let lowest: Float = parameters.isNarrow ? 1 : 0
    let highest = Float((1 << parameters.bits) - 1)
    let scale = (maximum - minimum) / (highest - lowest)
    let wanted = lowest - minimum / scale
    let zero = min(max(wanted, lowest), highest).rounded(.toNearestOrAwayFromZero)
    let (low, high) = ((lowest - zero) * scale, (highest - zero) * scale)
    guard scale.isNormal, (1 / scale).isFinite else { throw composite.parameterInvalid }
    let type = try type(composite, operand: 0)
    var value = try composite.operand(0)
    // What is rounded is not below zero. The greatest number below a half brings all from a half on to the next
    // whole number, and none before.
    let steps: [(Binary.Kind?, Float)] = [
      (.maximum, low), (.minimum, high), (.subtract, low), (.multiply, 1 / scale),
      (.add, Float(0.5).nextDown), (nil, 0), (.multiply, scale),
    ]
    for (kind, number) in steps {
      guard let kind else {
        value = compute(.unary(Unary(kind: .floor)), [value], type)
        continue
      }
      value = compute(.binary(Binary(kind: kind)), [value, constant(number)], type)
    }
    compute(
      .binary(Binary(kind: .add)), [value, constant(low)], type, into: composite.outputs[0])
  }
}

// MARK: Operands in another order or form

extension TFLiteAssembly {
  /// Operands of the file: the output's shape, weights `[kd, kh, kw, o, c]`, the activations, and a bias or none.
  private mutating func transposeConvolution(
    _ parameters: Convolution3D, _ composite: TFLiteComposite
  ) throws(TFLiteError) {
    let count = composite.inputs.count == 3 ? 3 : 4
    try composite.expect(operands: count, results: 1)
    let type = try type(composite, operand: 1)
    let order = constant([0, 1, 2, 4, 3], [5])
    let weights = compute(.move(.transpose), [try composite.operand(1), order], type)
    compute(
      .convolution3D(parameters),
      [
        try composite.operand(2), weights, count > 3 ? composite.inputs[3] : nil,
        try composite.operand(0),
      ], type, into: composite.outputs[0])
  }

  /// Operands of the file: indices, a scalar, `[n]` or `[n, k]`; the output's shape; as many numbers
  /// or one for all; and the number elsewhere.
  private mutating func sparseToDense(_ composite: TFLiteComposite) throws(TFLiteError) {
    try composite.expect(operands: 4, results: 1)
    var (indices, values) = (try composite.operand(0), try composite.operand(2))
    let (places, numbers) = (try type(composite, operand: 0), try type(composite, operand: 2))
    let count = places.shape.extents.first ?? 1
    if places.shape.rank < 2 {
      indices = compute(.reshape(Reshape(target: [count, 1])), [indices], places)
    }
    if numbers.shape.rank == 0 {
      values = compute(.move(.broadcast), [values, constant([Int32(count)], [1])], numbers)
    }
    compute(
      .scatter,
      [indices, values, try composite.operand(1), try composite.operand(3)], numbers,
      into: composite.outputs[0])
  }

  /// Input `[n, 1, h, w]`, output `[n, slots, h, w]`, which is what is kept.
  private mutating func shiftSlots(_ composite: TFLiteComposite) throws(TFLiteError) {
    try composite.expect(operands: 1, results: 1)
    let input = try type(composite, operand: 0)
    guard let output = type(composite.outputs[0]), output.shape.rank == 4,
      input.shape.rank == 4, input.shape[1] == 1, input.shape[0] == 1, output.shape[1] > 0
    else { throw composite.parameterInvalid }
    guard input.dataType == .int8 else {
      throw .graph(
        .operandDataType(node: composite.index, operand: 0, actual: input.dataType))
    }
    let fill = UInt8(truncatingIfNeeded: output.quantization?.zeroPoint ?? 0)
    let slots = variable(output, fill: fill)
    let longer = compute(
      .concatenate(Concatenate(axis: 1)), [slots, try composite.operand(0)], output)
    let next = compute(
      .move(.slice),
      [
        longer, constant([0, 1, 0, 0], [4]),
        constant([-1, Int32(clamping: output.shape[1]), -1, -1], [4]),
      ], output, into: composite.outputs[0])
    update(slots, to: next)
  }
}
