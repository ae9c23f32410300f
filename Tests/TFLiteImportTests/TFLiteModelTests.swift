import ByteParsing
import ModelGraph
import TFLiteImport
import Tensors
import TestSupport
import Testing

/// What importing `model` gives or throws.
private func imported(_ model: TFLiteWriter) throws(TFLiteError) -> Graph {
  try TFLiteModel.graph(from: ByteView(model.bytes()))
}

private func error(_ change: (inout TFLiteWriter) -> Void) -> TFLiteError? {
  var model = TFLiteWriter.convolution
  change(&model)
  do throws(TFLiteError) {
    _ = try imported(model)
    return nil
  } catch {
    return error
  }
}

@Suite("TensorFlow Lite import")
struct TFLiteModelTests {
  @Test("a convolution comes with its parameters, constants and specifications")
  func convolution() throws {
    let graph = try imported(.convolution)
    let window = Window2D(strideHeight: 1, strideWidth: 1, padding: .same)
    #expect(
      graph.nodes[0].operation == .convolution2D(Convolution2D(window: window, activation: .relu)))
    #expect(graph.values[1].constant?.count == 216)
    #expect(graph.inputSpecifications.map(\.name) == ["input"])
    #expect(graph.outputSpecifications[0].type == TensorType(.float32, [1, 4, 4, 3]))
    #expect(graph.description.text == "made for a test")
  }

  @Test("free extents are planned as 1 and declared as −1")
  func freeExtents() throws {
    var model = TFLiteWriter.convolution
    model.tensors[0].signature = [-1, 4, 4, 2]
    model.tensors[3].signature = [-1, 4, 4, 3]
    let graph = try imported(model)
    #expect(graph.inputSpecifications[0].signatureShape == [-1, 4, 4, 2])
    #expect(graph.outputSpecifications[0].signatureShape == [-1, 4, 4, 3])
    #expect(graph.inputSpecifications[0].type.shape == [1, 4, 4, 2])

    let resized = try graph.resized(inputs: [[5, 8, 8, 2]])
    #expect(resized.outputSpecifications[0].type.shape == [5, 8, 8, 3])
  }

  @Test("results have the shape that follows, whatever the file declares")
  func inferredShapes() throws {
    var model = TFLiteWriter.convolution
    model.tensors[3].shape = [9, 9]
    let graph = try imported(model)
    #expect(graph.outputSpecifications[0].type.shape == [1, 4, 4, 3])
    #expect(graph.outputSpecifications[0].signatureShape == [1, 4, 4, 3])
  }

  @Test("signatures and the oldest runtime are read")
  func signatures() throws {
    var model = TFLiteWriter.convolution
    model.signatures = [("serve", [0], [3])]
    model.runtimeVersion = "1.5.0"
    let graph = try imported(model)
    #expect(
      graph.signatures == [
        Signature(
          key: "serve", inputs: [Signature.Entry(name: "in0", value: ValueID(0))],
          outputs: [Signature.Entry(name: "out3", value: ValueID(3))])
      ])
    #expect(graph.description.minimumRuntimeVersion == "1.5.0")
  }

  @Test("all unsupported operators are named, with version and count")
  func unsupported() {
    let refusal = error { model in
      model.codes = [(3, 99), (13, 2), (32, 1), (4711, 1), (19, 1)]
      model.customCode = "Sinh"
      let node = model.operators[0]
      model.operators = ([1, 0, 1, 2, 3, 4, 1] as [UInt32]).map { code in
        var copy = node
        copy.code = code
        return copy
      }
    }
    #expect(
      refusal
        == .unsupportedOperators([
          UnsupportedOperator(name: "LOCAL_RESPONSE_NORMALIZATION", version: 2, count: 3),
          UnsupportedOperator(name: "CONV_2D", version: 99, count: 1),
          UnsupportedOperator(name: "CUSTOM:Sinh", version: 1, count: 1),
          UnsupportedOperator(name: "BUILTIN:4711", version: 1, count: 1),
        ]))
  }

  @Test("what is wrong in a file is named with its place and numbers")
  func refusals() {
    #expect(error { $0.version = 2 } == .schemaVersion(2))
    #expect(error { $0.codes = [] } == .operatorCodeOutOfRange(operator: 0, index: 0, count: 0))
    #expect(
      error { $0.operators[0].optionsType = 5 }
        == .optionsMismatch(operator: 0, expected: 1, actual: 5))
    #expect(
      error { $0.operators[0].options = [.int8(7), .int32(1), .int32(1)] }
        == .optionOutOfRange(operator: 0, value: 7))
    #expect(
      error { $0.operators[0].options = [.int8(1), .int32(1), .int32(1), .int8(9)] }
        == .optionOutOfRange(operator: 0, value: 9))
    #expect(error { $0.tensors[0].type = 99 } == .dataType(tensor: 0, code: 99))
    #expect(error { $0.tensors[0].type = -1 } == .dataType(tensor: 0, code: -1))
    #expect(
      error { $0.tensors[1].buffer = 7 } == .bufferOutOfRange(tensor: 1, index: 7, count: 3))
    #expect(
      error { $0.buffers[0].removeLast() }
        == .constantByteCount(tensor: 1, expected: 216, actual: 215))
    #expect(error { $0.tensors[0].isVariable = true } == nil)
    #expect(error { $0.tensors[3].isVariable = true } == .variableTensor(tensor: 3))
    #expect(
      error { $0.signatures = [("serve", [1], [3])] } == .signatureTensor(signature: 0, tensor: 1))
  }

  @Test("shapes beyond the address space are refused, not computed")
  func hugeShapes() {
    let huge: [Int32] = [.max, .max, .max]
    #expect(
      error { $0.tensors[0].shape = huge }
        == .tensorShape(tensor: 0, extents: huge.map { Int($0) }))
    let deep = Array(repeating: Int32(1), count: 9)
    #expect(
      error { $0.tensors[0].shape = deep }
        == .tensorShape(tensor: 0, extents: deep.map { Int($0) }))
    #expect(
      error { $0.tensors[0].shape = [.max, .max, 1, 2] } == .graph(
        .shapeTooLarge(node: 0, shape: [Int(Int32.max), Int(Int32.max), 1, 3])))
    #expect(
      error {
        $0.operators[0].options = [
          .int8(0), .int32(1), .int32(.max), .int8(0), .int32(.max), .int32(.max),
        ]
      } == nil)
  }

  @Test("scales and zero points that do not belong together are refused", arguments: [
    ([Float(1), 2], [Int64(0)]), ([.nan], [0]), ([-1], [0]), ([.infinity], [0]), ([1], [1000]),
    ([1], [.max]),
  ])
  func badQuantization(scales: [Float], zeroPoints: [Int64]) {
    let refusal = error { model in
      model.tensors[0].type = 9
      model.tensors[0].scales = scales
      model.tensors[0].zeroPoints = zeroPoints
    }
    #expect(refusal == .quantization(tensor: 0))
  }

  @Test("edges that do not make a graph are refused")
  func badEdges() {
    #expect(
      error { $0.operators[0].inputs = [0, 1, 99] }
        == .graph(.valueOutOfRange(index: 99, count: 4)))
    #expect(
      error { $0.operators[0].inputs = [0, 1, -2] }
        == .graph(.valueOutOfRange(index: -2, count: 4)))
    #expect(
      error { $0.operators[0].inputs = [] }
        == .graph(.operandCount(node: 0, expected: 2...3, actual: 0)))
    #expect(
      error { $0.operators[0].inputs = [-1, 1, 2] } == .graph(.operandMissing(node: 0, operand: 0)))
    #expect(
      error { $0.operators[0].inputs = [3, 1, 2] } == .graph(.valueNotProduced(node: 0, value: 3)))
    #expect(
      error { $0.operators[0].outputs = [0] } == .graph(.valueProducedTwice(node: 0, value: 0)))
    #expect(
      error { $0.operators[0].outputs = [3, 3] } == .graph(.valueProducedTwice(node: 0, value: 3)))
    #expect(error { $0.operators[0].outputs = [] } == .graph(.outputNotProduced(value: 3)))
    #expect(error { $0.inputs = [0, 50] } == .graph(.valueOutOfRange(index: 50, count: 4)))
  }

  @Test("two operators that feed each other are refused")
  func cycle() {
    let refusal = error { model in
      let node = model.operators[0]
      model.tensors += [model.tensors[3]]
      model.operators = [node, node]
      model.operators[0].inputs[0] = 4
      model.operators[1].inputs[0] = 3
      model.operators[1].outputs = [4]
    }
    #expect(refusal == .graph(.valueNotProduced(node: 0, value: 4)))
  }

  @Test("constants are read from behind the tables in files beyond 2 GiB")
  func outsideBuffers() throws {
    // Both forms of a buffer, told apart by the fields that they fill.
    let data = [UInt8](repeating: 5, count: 216)
    func file(offset: UInt64) -> [UInt8] {
      FlatBufferWriter.file(
        identifier: "TFL3",
        root: [
          .uint32(3), .tables([[.int8(19), .absent, .int32(1), .int32(19)]]),
          .tables([[
            .tables([
              [.int32s([54]), .int8(0), .uint32(1), .string("constant")],
              [.int32s([54]), .int8(0), .uint32(0), .string("output")],
            ]), .int32s([]), .int32s([1]),
            .tables([[.uint32(0), .int32s([0]), .int32s([1])]]),
          ]]), .absent,
          .tables([[], [.absent, .uint64(offset), .uint64(216)]]),
        ])
    }
    let place = file(offset: 2).count
    let graph = try TFLiteModel.graph(from: ByteView(file(offset: UInt64(place)) + data))
    #expect(graph.values[0].constant?.array == data)
    for offset in [UInt64(place + 1), UInt64(1) << 63, .max] {
      #expect(throws: TFLiteError.self) {
        try TFLiteModel.graph(from: ByteView(file(offset: offset) + data))
      }
    }
  }
}
