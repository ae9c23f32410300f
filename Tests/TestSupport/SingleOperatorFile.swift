/// A TensorFlow Lite file of one operator, under construction.
package struct SingleOperatorFile {
  private var writer = TFLiteWriter()

  /// A built-in operator, or the custom one of that name.
  package init(_ code: Int32 = 32, custom: String? = nil, version: Int32 = 1) {
    writer.codes = [(code: code, version: version)]
    writer.customCode = custom
  }

  /// Adds a tensor of the schema's type.
  package mutating func tensor(
    _ shape: [Int], type: Int8 = 0, isVariable: Bool = false, scales: [Float] = [], axis: Int = 0
  ) -> Int32 {
    var tensor = TFLiteWriter.Tensor(shape.map { Int32($0) }, type: type)
    tensor.isVariable = isVariable
    tensor.scales = scales
    tensor.axis = Int32(axis)
    writer.tensors.append(tensor)
    return Int32(writer.tensors.count - 1)
  }

  package mutating func input(_ shape: [Int], type: Int8 = 0, scales: [Float] = []) -> Int32 {
    writer.inputs.append(tensor(shape, type: type, scales: scales))
    return writer.inputs[writer.inputs.count - 1]
  }

  package mutating func output(
    _ shape: [Int], type: Int8 = 0, scales: [Float] = [], axis: Int = 0, isVariable: Bool = false
  ) -> Int32 {
    writer.outputs.append(
      tensor(shape, type: type, isVariable: isVariable, scales: scales, axis: axis))
    return writer.outputs[writer.outputs.count - 1]
  }

  package mutating func constant(
    _ shape: [Int], type: Int8, bytes: [UInt8], scales: [Float] = []
  ) -> Int32 {
    let index = tensor(shape, type: type, scales: scales)
    writer.buffers.append(bytes)
    writer.tensors[Int(index)].buffer = UInt32(writer.buffers.count)
    return index
  }

  package mutating func constant(_ shape: [Int], _ numbers: [Float]) -> Int32 {
    constant(
      shape, type: 0,
      bytes: numbers.flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
      })
  }

  package mutating func constant(_ shape: [Int], _ numbers: [Int32]) -> Int32 {
    constant(
      shape, type: 2,
      bytes: numbers.flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * Int32($0))) }
      })
  }

  /// The file, with the operator on those tensors.
  package mutating func bytes(
    _ inputs: [Int32], _ outputs: [Int32], optionsType: Int8 = 0, options: [FlatBufferField]? = nil,
    customOptions: [String: Int]? = nil, rawOptions: [UInt8]? = nil
  ) -> [UInt8] {
    writer.operators = [
      TFLiteWriter.Operator(
        inputs: inputs, outputs: outputs, optionsType: optionsType, options: options,
        customOptions: rawOptions ?? customOptions.map { FlexBufferWriter.map($0) })
    ]
    return writer.bytes()
  }
}
