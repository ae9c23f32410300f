import ByteParsing
import ModelGraph

/// Brings one operator of the file, with its options, into a graph operator.
///
/// `options(n)` is member n of the schema's union `BuiltinOptions`; the numbers beside it are
/// places of fields in that member's table.
struct TFLiteOperatorReader {
  /// The operator's place in the file.
  let index: Int
  let builtin: TFLiteBuiltin
  /// The operator's table.
  let table: FlatBufferTable
  /// Operands that the operator has in the file, absent ones included.
  let operandCount: Int

  func read() throws(TFLiteError) -> Operator {
    switch builtin {
    case .convolution2D: return .convolution2D(try convolution2D())
    case .depthwiseConvolution2D: return .depthwiseConvolution2D(try depthwiseConvolution2D())
    case .fullyConnected: return .fullyConnected(try fullyConnected())
    case .add: return .binary(Binary(kind: .add, activation: try activation(options(11), 0)))
    case .subtract:
      return .binary(Binary(kind: .subtract, activation: try activation(options(28), 0)))
    case .multiply:
      return .binary(Binary(kind: .multiply, activation: try activation(options(21), 0)))
    case .averagePool2D: return .pool2D(try pool2D(.average))
    case .maximumPool2D: return .pool2D(try pool2D(.maximum))
    case .logistic: return .unary(Unary(kind: .logistic))
    case .tanh: return .unary(Unary(kind: .tanh))
    case .relu: return .unary(Unary(kind: .relu))
    case .relu6: return .unary(Unary(kind: .relu6))
    case .reluN1To1: return .unary(Unary(kind: .reluN1To1))
    case .softmax:
      let options = try options(9)
      let beta = try parsing { () throws(ParsingError) in try options?.float(0, default: 0) }
      return .softmax(Softmax(beta: beta ?? 0))
    case .reshape: return .reshape(try reshape())
    case .squeeze: return .squeeze(Squeeze(axes: try integers(options(30), 0) ?? []))
    case .expandDimensions: return .expandDimensions(ExpandDimensions(axis: nil))
    case .pad, .padV2: return .pad(Pad(amounts: nil))
    case .mean:
      let keeps = try bool(options(27), 0)
      return .reduce(Reduce(kind: .mean, axes: nil, keepsDimensions: keeps))
    case .concatenation:
      let options = try options(10)
      return .concatenate(
        Concatenate(axis: try integer(options, 0), activation: try activation(options, 1)))
    case .quantize: return .quantize
    case .dequantize: return .dequantize
    case .svdf:
      let options = try options(6)
      return .recurrent(
        .svdf(
          SVDF(
            rank: try integer(options, 0), activation: try activation(options, 1),
            quantizesAsymmetrically: try bool(options, 2))))
    case .rnn:
      let options = try options(7)
      return .recurrent(
        .rnn(
          RNN(
            activation: try activation(options, 0), isTimeMajor: true,
            quantizesAsymmetrically: try bool(options, 1))))
    case .unidirectionalSequenceRNN:
      let options = try options(31)
      return .recurrent(
        .rnn(
          RNN(
            activation: try activation(options, 1), isTimeMajor: try bool(options, 0),
            quantizesAsymmetrically: try bool(options, 2))))
    case .unidirectionalSequenceLSTM: return .recurrent(.lstm(try lstm()))
    case .lstm: return .recurrent(.lstm(try singleStepLSTM()))
    case .l2Pool2D: return .pool2D(try pool2D(.rootMeanSquare))
    case .variableHandle, .readVariable, .assignVariable, .callOnce, .call, .stablehloComposite,
      .ifElse, .whileLoop:
      preconditionFailure("an operator on variables or subgraphs is no node of its own")
    default: return try readOther()
    }
  }

  private func convolution2D() throws(TFLiteError) -> Convolution2D {
    let options = try options(1)
    let window = Window2D(
      strideHeight: try integer(options, 2), strideWidth: try integer(options, 1),
      dilationHeight: try integer(options, 5, default: 1),
      dilationWidth: try integer(options, 4, default: 1), padding: try padding(options))
    return Convolution2D(window: window, activation: try activation(options, 3))
  }

  private func depthwiseConvolution2D() throws(TFLiteError) -> DepthwiseConvolution2D {
    let options = try options(2)
    let window = Window2D(
      strideHeight: try integer(options, 2), strideWidth: try integer(options, 1),
      dilationHeight: try integer(options, 6, default: 1),
      dilationWidth: try integer(options, 5, default: 1), padding: try padding(options))
    return DepthwiseConvolution2D(window: window, activation: try activation(options, 4))
  }

  private func fullyConnected() throws(TFLiteError) -> FullyConnected {
    let options = try options(8)
    let format = try byte(options, 1)
    // Shuffled weights were a format of one vendor's kernels.
    guard format == 0 else { throw .optionOutOfRange(operator: index, value: Int(format)) }
    return FullyConnected(
      activation: try activation(options, 0), keepsDimensions: try bool(options, 2),
      quantizesAsymmetrically: try bool(options, 3))
  }

  private func pool2D(_ kind: Pool2D.Kind) throws(TFLiteError) -> Pool2D {
    let options = try options(5)
    let window = Window2D(
      strideHeight: try integer(options, 2), strideWidth: try integer(options, 1),
      padding: try padding(options))
    return Pool2D(
      kind: kind, height: try integer(options, 4), width: try integer(options, 3), window: window,
      activation: try activation(options, 5))
  }

  private func lstm() throws(TFLiteError) -> LSTM {
    let options = try options(71)
    let clips = try parsing { () throws(ParsingError) in
      (try options?.float(1, default: 0) ?? 0, try options?.float(2, default: 0) ?? 0)
    }
    return LSTM(
      activation: try activation(options, 0), cellClip: clips.0, projectionClip: clips.1,
      isTimeMajor: try bool(options, 3), quantizesAsymmetrically: try bool(options, 4))
  }

  /// The operator of one moment, of which only the form with all operands is known.
  private func singleStepLSTM() throws(TFLiteError) -> LSTM {
    let options = try options(14)
    let form = try byte(options, 3)
    guard form == 0 else { throw .optionOutOfRange(operator: index, value: Int(form)) }
    let clips = try parsing { () throws(ParsingError) in
      (try options?.float(1, default: 0) ?? 0, try options?.float(2, default: 0) ?? 0)
    }
    return LSTM(
      activation: try activation(options, 0), cellClip: clips.0, projectionClip: clips.1,
      isTimeMajor: true)
  }

  private func reshape() throws(TFLiteError) -> Reshape {
    if operandCount > 1 { return Reshape(target: nil) }
    let target = try integers(options(17), 0) ?? []
    // Old converters wrote [0] for a scalar.
    return Reshape(target: target == [0] ? [] : target)
  }

  /// The operator's options; nil when it has none, which means every default.
  func options(_ expected: UInt8) throws(TFLiteError) -> FlatBufferTable? {
    let actual = try parsing { () throws(ParsingError) in
      try table.integer(TFLiteSchema.Operator.optionsType, default: UInt8(0))
    }
    guard actual != 0 else { return nil }
    guard actual == expected else {
      throw .optionsMismatch(operator: index, expected: expected, actual: actual)
    }
    return try parsing { () throws(ParsingError) in try table.table(TFLiteSchema.Operator.options) }
  }

  /// The operator's options of the schema's second union, as `options(_:)`.
  func secondOptions(_ expected: UInt8) throws(TFLiteError) -> FlatBufferTable? {
    typealias Schema = TFLiteSchema.Operator
    let actual = try parsing { () throws(ParsingError) in
      try table.integer(Schema.secondOptionsType, default: UInt8(0))
    }
    guard actual != 0 else { return nil }
    guard actual == expected else {
      throw .optionsMismatch(operator: index, expected: expected, actual: actual)
    }
    return try parsing { () throws(ParsingError) in try table.table(Schema.secondOptions) }
  }

  func integer(
    _ options: FlatBufferTable?, _ field: Int, default value: Int32 = 0
  ) throws(TFLiteError) -> Int {
    Int(
      try parsing { () throws(ParsingError) in try options?.integer(field, default: value) }
        ?? value)
  }

  private func integers(_ options: FlatBufferTable?, _ field: Int) throws(TFLiteError) -> [Int]? {
    try parsing { () throws(ParsingError) in
      try options?.integers(field, as: Int32.self, limit: TFLiteLimits.extentsMaximum)
    }?.map { Int($0) }
  }

  func byte(_ options: FlatBufferTable?, _ field: Int) throws(TFLiteError) -> Int8 {
    try parsing { () throws(ParsingError) in try options?.integer(field, default: Int8(0)) } ?? 0
  }

  func bool(_ options: FlatBufferTable?, _ field: Int) throws(TFLiteError) -> Bool {
    try byte(options, field) != 0
  }

  func activation(
    _ options: FlatBufferTable?, _ field: Int
  ) throws(TFLiteError) -> Activation {
    let code = try byte(options, field)
    switch code {
    case 0: return .none
    case 1: return .relu
    case 2: return .reluN1To1
    case 3: return .relu6
    case 4: return .tanh
    default: throw .optionOutOfRange(operator: index, value: Int(code))
    }
  }

  func padding(_ options: FlatBufferTable?) throws(TFLiteError) -> Padding2D {
    let code = try byte(options, 0)
    switch code {
    case 0: return .same
    case 1: return .valid
    default: throw .optionOutOfRange(operator: index, value: Int(code))
    }
  }
}

/// Runs `body` and reports what it throws as a malformed file.
func parsing<R>(_ body: () throws(ParsingError) -> R) throws(TFLiteError) -> R {
  do throws(ParsingError) {
    return try body()
  } catch {
    throw .malformed(error)
  }
}
