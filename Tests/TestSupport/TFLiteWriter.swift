/// A TensorFlow Lite model for tests, written field by field so that each can be made wrong.
package struct TFLiteWriter {
  package struct Tensor {
    package var shape: [Int32]
    package var type: Int8
    package var buffer: UInt32
    package var name: String
    package var scales: [Float]
    package var zeroPoints: [Int64]
    package var axis: Int32
    package var isVariable = false
    package var signature: [Int32]?
    /// The fields of its sparsity.
    package var sparsity: [FlatBufferField]?
    /// The fields of its block-wise quantisation.
    package var blocks: [FlatBufferField]?

    package init(
      _ shape: [Int32], type: Int8 = 0, buffer: UInt32 = 0, name: String = "t",
      scales: [Float] = [], zeroPoints: [Int64] = [], axis: Int32 = 0
    ) {
      self.shape = shape
      self.type = type
      self.buffer = buffer
      self.name = name
      self.scales = scales
      self.zeroPoints = zeroPoints
      self.axis = axis
    }

    fileprivate var fields: [FlatBufferField] {
      let quantization: FlatBufferField =
        scales.isEmpty && blocks == nil
        ? .absent
        : .table([
          .absent, .absent, scales.isEmpty ? .absent : .floats(scales),
          zeroPoints.isEmpty ? .absent : .int64s(zeroPoints), blocks == nil ? .absent : .int8(2),
          blocks.map { .table($0) } ?? .absent, .int32(axis),
        ])
      return [
        .int32s(shape), .int8(type), .uint32(buffer), .string(name), quantization,
        .int8(isVariable ? 1 : 0), sparsity.map { .table($0) } ?? .absent, signature.map { .int32s($0) } ?? .absent,
      ]
    }
  }

  package struct Operator {
    package var code: UInt32
    package var inputs: [Int32]
    package var outputs: [Int32]
    package var optionsType: Int8
    package var options: [FlatBufferField]?
    package var customOptions: [UInt8]?

    package init(
      code: UInt32 = 0, inputs: [Int32], outputs: [Int32], optionsType: Int8 = 0,
      options: [FlatBufferField]? = nil, customOptions: [UInt8]? = nil
    ) {
      self.customOptions = customOptions
      self.code = code
      self.inputs = inputs
      self.outputs = outputs
      self.optionsType = optionsType
      self.options = options
    }

    fileprivate var fields: [FlatBufferField] {
      [
        .uint32(code), .int32s(inputs), .int32s(outputs), .int8(optionsType),
        options.map { .table($0) } ?? .absent, customOptions.map { .bytes($0) } ?? .absent,
      ]
    }
  }

  package var version: UInt32 = 3
  /// Built-in code and version of each operator code.
  package var codes: [(code: Int32, version: Int32)] = []
  package var customCode: String?
  package var tensors: [Tensor] = []
  package var operators: [Operator] = []
  package var inputs: [Int32] = []
  package var outputs: [Int32] = []
  /// Buffer 0 is empty by convention and written unasked.
  package var buffers: [[UInt8]] = []
  /// Key, and the tensors of the inputs and of the outputs.
  package var signatures: [(key: String, inputs: [UInt32], outputs: [UInt32])] = []
  package var runtimeVersion: String?

  package init() {}

  /// The file.
  package func bytes() -> [UInt8] {
    let codes = codes.map { code -> [FlatBufferField] in
      [
        .int8(Int8(clamping: code.code)), customCode.map { .string($0) } ?? .absent,
        .int32(code.version), .int32(code.code),
      ]
    }
    let subgraph: [FlatBufferField] = [
      .tables(tensors.map(\.fields)), .int32s(inputs), .int32s(outputs),
      .tables(operators.map(\.fields)), .string("main"),
    ]
    var stored = buffers
    var metadata: [[FlatBufferField]] = []
    if let runtimeVersion {
      stored.append(Array(runtimeVersion.utf8) + [0, 0, 0])
      metadata = [[.string("min_runtime_version"), .uint32(UInt32(stored.count))]]
    }
    let signatures = signatures.map { signature -> [FlatBufferField] in
      [
        .tables(signature.inputs.map { [.string("in\($0)"), .uint32($0)] }),
        .tables(signature.outputs.map { [.string("out\($0)"), .uint32($0)] }),
        .string(signature.key),
      ]
    }
    return FlatBufferWriter.file(
      identifier: "TFL3",
      root: [
        .uint32(version), .tables(codes), .tables([subgraph]), .string("made for a test"),
        .tables([[]] + stored.map { [.bytes($0)] }), .absent, .tables(metadata),
        .tables(signatures),
      ])
  }

  /// A float convolution of a 4 × 4 picture of two channels with three kernels of 3 × 3.
  package static var convolution: TFLiteWriter {
    var model = TFLiteWriter()
    model.codes = [(3, 1)]
    model.tensors = [
      Tensor([1, 4, 4, 2], name: "input"), Tensor([3, 3, 3, 2], buffer: 1, name: "weights"),
      Tensor([3], buffer: 2, name: "bias"), Tensor([1, 4, 4, 3], name: "output"),
    ]
    model.operators = [
      Operator(
        inputs: [0, 1, 2], outputs: [3], optionsType: 1,
        options: [.int8(0), .int32(1), .int32(1), .int8(1)])
    ]
    model.inputs = [0]
    model.outputs = [3]
    model.buffers = [Array(repeating: 0, count: 3 * 3 * 3 * 2 * 4), Array(repeating: 0, count: 12)]
    return model
  }
}
