import ByteParsing
import ModelGraph
import Tensors

/// A pool of windows that do not overlap, which tells where each greatest element was, or the way back.
struct WindowPool {
  var height: Int
  var width: Int
  var activation: Activation
}

/// Custom operators of segmentation networks, whose options are the bytes of a C structure.
extension TFLiteOperatorReader {
  func vision() throws(TFLiteError) -> TFLiteComposite.Kind {
    switch builtin {
    case .transposeConvolutionBias:
      let numbers = try numbers(3)
      let window = Window2D(strideHeight: numbers[2], strideWidth: numbers[1])
      return .transposeConvolutionBias(window, isSame: try isSame(numbers[0]))
    case .maximumPoolIndices: return .poolWithPlaces(try windowPool())
    default: return .unpool(try windowPool())
    }
  }

  /// The first little-endian numbers of 32 bits of the options.
  private func numbers(_ count: Int) throws(TFLiteError) -> [Int] {
    try parsing { () throws(ParsingError) in
      let bytes = try table.byteVector(TFLiteSchema.Operator.customOptions) ?? ByteView([UInt8]())
      var numbers: [Int] = []
      for place in 0..<count { numbers.append(Int(try bytes.load(Int32.self, at: 4 * place))) }
      return numbers
    }
  }

  private func isSame(_ padding: Int) throws(TFLiteError) -> Bool {
    guard padding == 1 || padding == 2 else {
      throw .optionOutOfRange(operator: index, value: padding)
    }
    return padding == 1
  }

  /// Padding, strides of width and height, extents of width and height, and the activation.
  private func windowPool() throws(TFLiteError) -> WindowPool {
    let numbers = try numbers(6)
    _ = try isSame(numbers[0])
    // Windows that overlap tell one place more than once.
    guard numbers[1] == numbers[3], numbers[2] == numbers[4], numbers[1] > 0, numbers[2] > 0 else {
      throw .optionOutOfRange(operator: index, value: numbers[1])
    }
    guard let activation = activation(code: numbers[5]) else {
      throw .optionOutOfRange(operator: index, value: numbers[5])
    }
    return WindowPool(height: numbers[4], width: numbers[3], activation: activation)
  }

  private func activation(code: Int) -> Activation? {
    switch code {
    case 0: Activation.none
    case 1: .relu
    case 2: .reluN1To1
    case 3: .relu6
    default: nil
    }
  }
}

extension TFLiteAssembly {
  /// Operands of the file: the data, weights `[o, kh, kw, c]` and a bias `[o]`.
  mutating func transposeConvolution(
    _ window: Window2D, isSame: Bool, _ composite: TFLiteComposite
  ) throws(TFLiteError) {
    try composite.expect(operands: 3, results: 1)
    let input = try type(composite, operand: 0)
    let weights = try type(composite, operand: 1)
    guard input.shape.rank == 4, weights.shape.rank == 4,
      (1...TFLiteLimits.samplesMaximum).contains(window.strideHeight),
      (1...TFLiteLimits.samplesMaximum).contains(window.strideWidth)
    else { throw composite.parameterInvalid }
    let strides = [window.strideHeight, window.strideWidth]
    var (extents, before, after) = ([Int](), [Int](), [Int]())
    for (axis, stride) in strides.enumerated() {
      let (count, kernel) = (input.shape[1 + axis], weights.shape[1 + axis])
      guard count > 0, kernel > 0 else { throw composite.parameterInvalid }
      let cut = isSame ? max(0, kernel - (count - 1) % stride - 1) : 0
      extents.append(stride * (count - 1) + kernel - cut)
      before.append(cut / 2)
      after.append(cut - cut / 2)
    }
    var placed = window
    placed.padding = .explicit(
      top: before[0], bottom: after[0], left: before[1], right: after[1])
    let target = [input.shape[0], extents[0], extents[1], weights.shape[0]]
    let shape = constant(target.map { Int32(clamping: $0) }, [4])
    compute(
      .transposeConvolution2D(TransposeConvolution2D(window: placed)),
      [
        shape, try composite.operand(1), try composite.operand(0), try composite.operand(2),
      ], input, into: composite.outputs[0])
  }

  /// The data `[n, h, w, c]` as windows `[n, h / kh, w / kw, kh · kw, c]`.
  private mutating func windows(
    of input: ValueID, _ type: TensorType, _ pool: WindowPool
  ) -> ValueID {
    let e = type.shape.extents
    let (rows, columns) = (e[1] / pool.height, e[2] / pool.width)
    let split = compute(
      .reshape(Reshape(target: [e[0], rows, pool.height, columns, pool.width, e[3]])), [input],
      type)
    let order = constant([0, 1, 3, 2, 4, 5], [6])
    let turned = compute(.move(.transpose), [split, order], type)
    return compute(
      .reshape(Reshape(target: [e[0], rows, columns, pool.height * pool.width, e[3]])), [turned],
      type)
  }

  private func picture(
    _ composite: TFLiteComposite, _ pool: WindowPool
  ) throws(TFLiteError) -> TensorType {
    let type = try type(composite, operand: 0)
    guard type.shape.rank == 4, pool.height * pool.width <= TFLiteLimits.samplesMaximum else {
      throw composite.parameterInvalid
    }
    guard type.dataType == .float32 else {
      throw .graph(
        .operandDataType(node: composite.index, operand: 0, actual: type.dataType))
    }
    return type
  }

  /// Results: the greatest of each window, and its place in it, a float32 a tenth above the number.
  mutating func poolWithPlaces(
    _ pool: WindowPool, _ composite: TFLiteComposite
  ) throws(TFLiteError) {
    try composite.expect(operands: 1, results: 2)
    let type = try picture(composite, pool)
    guard type.shape[1] % pool.height == 0, type.shape[2] % pool.width == 0 else {
      throw composite.parameterInvalid
    }
    let windows = windows(of: try composite.operand(0), type, pool)
    let maximum = Pool2D(
      kind: .maximum, height: pool.height, width: pool.width,
      window: Window2D(strideHeight: pool.height, strideWidth: pool.width),
      activation: pool.activation)
    compute(
      .pool2D(maximum), [try composite.operand(0)], type, into: composite.outputs[0])
    let places = compute(
      .argumentOfExtreme(ArgumentOfExtreme(isMaximum: true)), [windows, constant([3])],
      TensorType(.int32, []))
    let numbers = compute(.cast, [places], type)
    compute(
      .binary(Binary(kind: .add)), [numbers, constant(0.1)], type, into: composite.outputs[1])
  }

  /// Operands of the file: elements, and their places in windows; every other element is zero.
  mutating func unpool(_ pool: WindowPool, _ composite: TFLiteComposite) throws(TFLiteError) {
    try composite.expect(operands: 2, results: 1)
    let type = try picture(composite, pool)
    let (e, count) = (type.shape.extents, pool.height * pool.width)
    let flat = Reshape(target: [e[0], e[1], e[2], 1, e[3]])
    let elements = compute(.reshape(flat), [try composite.operand(0)], type)
    let given = compute(.reshape(flat), [try composite.operand(1)], type)
    let places = compute(.cast, [given], TensorType(.int32, []))
    let all = constant((0..<count).map { Int32($0) }, [1, 1, 1, count, 1])
    let isHere = compute(
      .binary(Binary(kind: .equal)), [places, all], TensorType(.bool, []))
    let windows = compute(.select, [isHere, elements, constant(0 as Float)], type)
    let split = compute(
      .reshape(Reshape(target: [e[0], e[1], e[2], pool.height, pool.width, e[3]])), [windows],
      type)
    let order = constant([0, 1, 3, 2, 4, 5], [6])
    let turned = compute(.move(.transpose), [split, order], type)
    compute(
      .reshape(Reshape(target: [e[0], e[1] * pool.height, e[2] * pool.width, e[3]])), [turned],
      type, into: composite.outputs[0])
  }
}
