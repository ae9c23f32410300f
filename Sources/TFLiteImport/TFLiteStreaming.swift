import ByteParsing
import ModelGraph
import Tensors

/// How a stream of samples becomes frames that overlap.
struct FrameCutting {
  /// Samples of a frame, and from one to the next.
  var size: Int
  var step: Int
  /// Zeros come before the stream, so that the first step makes a frame.
  var isPrefilled: Bool

  /// Samples that are kept for the frames to come: without zeros at first, whole steps.
  var kept: Int { isPrefilled ? size - step : (size + step - 1) / step * step - step }
}

/// How frames that come one at a time are given together with those around them.
struct FrameStacking {
  /// Numbers of a frame.
  var channels: Int
  /// Frames before and after.
  var before: Int
  var after: Int
  /// Frames from one result to the next.
  var step: Int

  var frames: Int { before + 1 + after }
}

/// Custom operators that keep samples from one inference to the next, which the file does not say.
extension TFLiteOperatorReader {
  func streaming() throws(TFLiteError) -> TFLiteComposite.Kind {
    var cycles = 1
    let kind = try parsing { () throws(ParsingError) -> TFLiteComposite.Kind in
      let bytes = try table.byteVector(TFLiteSchema.Operator.customOptions)
      let options = try FlexBufferMap(bytes ?? ByteView([UInt8]()))
      switch builtin {
      case .circularBuffer:
        cycles = try options.integer("cycles_max") ?? 0
        return .shiftSlots
      case .delay: return .delay(length: try options.integer("delay_length") ?? 0)
      case .cutFrames:
        return .cutFrames(
          FrameCutting(
            size: try options.integer("frame_size") ?? 0,
            step: try options.integer("frame_step") ?? 0,
            isPrefilled: try options.bool("prefill") ?? false))
      default:
        return .stackFrames(
          FrameStacking(
            channels: try options.integer("num_channels") ?? 0,
            before: try options.integer("stacker_left_context") ?? 0,
            after: try options.integer("stacker_right_context") ?? 0,
            step: try options.integer("stacker_step") ?? 0))
      }
    }
    // With more the operator ends most inferences where it stands.
    guard cycles == 1 else { throw .optionOutOfRange(operator: index, value: cycles) }
    return kind
  }
}

extension TFLiteAssembly {
  /// The samples kept, then the new ones, on the last axis; the last `count` of them are kept for the next inference.
  private mutating func extended(
    _ input: ValueID, _ type: TensorType, keeping count: Int
  ) -> ValueID {
    guard count > 0 else { return input }
    let last = type.shape.rank - 1
    let kept = TensorType(type.dataType, Shape(type.shape.extents[..<last] + [count]))
    let variable = variable(kept)
    let samples = compute(
      .concatenate(Concatenate(axis: last)), [variable, input], TensorType(type.dataType, []))
    let next = slice(samples, from: Int32(-count), to: nil, type)
    update(variable, to: next)
    return samples
  }

  /// Elements of the last axis, places below zero counted from its end.
  private mutating func slice(
    _ input: ValueID, from begin: Int32, to end: Int32?, _ type: TensorType,
    into output: ValueID? = nil
  ) -> ValueID {
    let last = type.shape.rank - 1
    func places(_ place: Int32) -> [Int32] { [Int32](repeating: 0, count: last) + [place] }
    let whole = (1 << last) - 1
    let move = StridedSlice(beginMask: whole, endMask: whole | (end == nil ? 1 << last : 0))
    let shape: Shape = [last + 1]
    return compute(
      .move(.stridedSlice(move)),
      [
        input, constant(places(begin), shape), constant(places(end ?? 0), shape),
        constant([Int32](repeating: 1, count: last + 1), shape),
      ], TensorType(type.dataType, []), into: output)
  }

  /// The type of samples, `[…, n]`.
  private func samples(_ composite: TFLiteComposite) throws(TFLiteError) -> TensorType {
    let type = try type(composite, operand: 0)
    guard type.dataType == .int16 else {
      throw .graph(
        .operandDataType(node: composite.index, operand: 0, actual: type.dataType))
    }
    guard type.shape.rank > 0 else {
      throw .graph(
        .operandRank(
          node: composite.index, operand: 0, expected: 1...Shape.rankMaximum, actual: 0))
    }
    return type
  }

  mutating func delay(_ length: Int, _ composite: TFLiteComposite) throws(TFLiteError) {
    try composite.expect(operands: 1, results: 1)
    let type = try samples(composite)
    guard (0...TFLiteLimits.samplesMaximum).contains(length) else {
      throw composite.parameterInvalid
    }
    let input = try composite.operand(0)
    guard length > 0 else { return alias(composite.outputs[0], of: input) }
    let samples = extended(input, type, keeping: length)
    _ = slice(samples, from: 0, to: Int32(-length), type, into: composite.outputs[0])
  }

  mutating func cutFrames(
    _ parameters: FrameCutting, _ composite: TFLiteComposite
  ) throws(TFLiteError) {
    try composite.expect(operands: 1, results: 2)
    let type = try samples(composite)
    let (size, step) = (parameters.size, parameters.step)
    let last = type.shape.rank - 1
    guard (1...TFLiteLimits.samplesMaximum).contains(size),
      (1...TFLiteLimits.samplesMaximum).contains(step), size >= step || !parameters.isPrefilled,
      type.shape[last] > 0, type.shape[last] % step == 0,
      type.shape[last] / step * size <= TFLiteLimits.samplesMaximum
    else { throw composite.parameterInvalid }
    let count = type.shape[last] / step
    let kept = max(parameters.kept, 0)
    let samples = extended(try composite.operand(0), type, keeping: kept)
    let places = (0..<count).flatMap { frame in
      (0..<size).map { Int32(frame * step + $0) }
    }
    compute(
      .gather(Gather(axis: last)), [samples, constant(places, [count, size])], type,
      into: composite.outputs[0])
    // Until there are enough samples, what is cut begins with zeros that the stream did not have.
    let missing = parameters.isPrefilled ? 0 : kept / step
    guard missing > 0 else {
      let always = append(TensorType(.bool, []), constant: ByteView([UInt8(1)]))
      return alias(composite.outputs[1], of: always)
    }
    let scalar = TensorType(.int32, [])
    let (seen, limit) = (variable(scalar), constant([Int32(missing)]))
    compute(
      .binary(Binary(kind: .greaterEqual)), [seen, limit], TensorType(.bool, []),
      into: composite.outputs[1])
    let sum = compute(
      .binary(Binary(kind: .add)), [seen, constant([Int32(count)])], scalar)
    let bounded = compute(.binary(Binary(kind: .minimum)), [sum, limit], scalar)
    update(seen, to: bounded)
  }

  mutating func stackFrames(
    _ parameters: FrameStacking, _ composite: TFLiteComposite
  ) throws(TFLiteError) {
    try composite.expect(operands: 1, results: 2)
    let type = try samples(composite)
    let range = 0...TFLiteLimits.samplesMaximum
    guard range.contains(parameters.channels), parameters.channels > 0,
      range.contains(parameters.before), range.contains(parameters.after),
      parameters.frames * parameters.channels <= TFLiteLimits.samplesMaximum,
      (1...parameters.frames).contains(parameters.step)
    else { throw composite.parameterInvalid }
    guard type.shape.rank == 1, type.shape[0] == parameters.channels else {
      throw .graph(
        .operandExtent(
          node: composite.index, operand: 0, axis: 0, expected: parameters.channels,
          actual: type.shape.extents.last ?? 0))
    }
    stack(parameters, try composite.operand(0), composite.outputs)
  }

  private mutating func stack(
    _ parameters: FrameStacking, _ input: ValueID, _ outputs: [ValueID]
  ) {
    let all = TensorType(.int16, [parameters.frames * parameters.channels])
    let (flag, number) = (TensorType(.bool, []), TensorType(.int32, []))
    let (frames, began) = (variable(all), variable(number))
    let wait = variable(number, initial: ByteView([Int32(parameters.after)]))
    // The first frame stands for those before it.
    let isFirst = compute(
      .binary(Binary(kind: .equal)), [began, constant([0])], flag)
    let first = compute(.move(.tile), [input, constant([Int32(parameters.frames)], [1])], all)
    let longer = compute(.concatenate(Concatenate(axis: 0)), [frames, input], all)
    let moved = slice(longer, from: Int32(parameters.channels), to: nil, all)
    let stacked = compute(.select, [isFirst, first, moved], all, into: outputs[0])
    let isDue = compute(
      .binary(Binary(kind: .equal)), [wait, constant([0])], flag, into: outputs[1])
    let sooner = compute(
      .binary(Binary(kind: .subtract)), [wait, constant([1])], number)
    let next = compute(
      .select, [isDue, constant([Int32(parameters.step - 1)]), sooner], number)
    let hasBegun = compute(
      .binary(Binary(kind: .maximum)), [began, constant([1])], number)
    update(frames, to: stacked)
    update(began, to: hasBegun)
    update(wait, to: next)
  }
}
