import ByteParsing
import ModelGraph
import Tensors
import Testing

@Suite("Canonical form")
struct PassTests {
  private let scheme = Quantization(scale: 0.5, zeroPoint: 3)

  private func convolution(_ padding: Padding2D) -> Operator {
    .convolution2D(Convolution2D(window: Window2D(padding: padding)))
  }

  /// What the first node of `graph` reads in second place.
  private func secondOperand(of graph: Graph) throws -> Value {
    graph[try #require(graph.nodes[0].inputs[1])]
  }

  @Test("paddings become rows and columns")
  func explicitPadding() throws {
    var builder = GraphBuilder()
    let input = builder.input([1, 6, 6, 1])
    let output = builder.node(convolution(.same), [input, builder.weights([1, 3, 2, 1])])
    let graph = try canonicalize(builder.finish(output))
    #expect(
      graph.nodes.map(\.operation)
        == [convolution(.explicit(top: 1, bottom: 1, left: 0, right: 1))])
  }

  @Test("a pad of rows and columns joins the convolution that reads it")
  func absorbsPad() throws {
    var builder = GraphBuilder()
    let input = builder.input([1, 6, 6, 1])
    let amounts = builder.integers([0, 0, 1, 2, 0, 1, 0, 0], [4, 2])
    let padded = builder.node(.pad(Pad(amounts: nil)), [input, amounts])
    let output = builder.node(convolution(.valid), [padded, builder.weights([1, 3, 3, 1])])
    let graph = try canonicalize(builder.finish(output))
    #expect(
      graph.nodes.map(\.operation)
        == [convolution(.explicit(top: 1, bottom: 2, left: 0, right: 1))])
    #expect(graph.nodes[0].inputs[0] == graph.inputs[0])
    #expect(graph.outputSpecifications[0].type.shape == [1, 7, 5, 1])
  }

  @Test("a pad of channels, with a fill, or read twice stays")
  func keepsPad() throws {
    for (amounts, hasFill, isShared) in [
      ([0, 0, 1, 1, 1, 1, 0, 1], false, false), ([0, 0, 1, 1, 1, 1, 0, 0], true, false),
      ([0, 0, 1, 1, 1, 1, 0, 0], false, true),
    ] as [([Int32], Bool, Bool)] {
      var builder = GraphBuilder()
      let input = builder.input([1, 6, 6, 1])
      var operands: [ValueID?] = [input, builder.integers(amounts, [4, 2])]
      if hasFill { operands.append(builder.weights([])) }
      let padded = builder.node(.pad(Pad(amounts: nil)), operands)
      let depth = Int(1 + amounts[7])
      let output = builder.node(convolution(.valid), [padded, builder.weights([1, 3, 3, depth])])
      let graph = try canonicalize(
        isShared ? builder.finish(output, padded) : builder.finish(output))
      #expect(graph.nodes.count == 2)
      #expect(graph.nodes[0].inputs.count == (hasFill ? 2 : 1))
    }
  }

  @Test("a clamp of the same type joins the operator before it")
  func fusesActivation() throws {
    var builder = GraphBuilder()
    let input = builder.input([1, 6, 6, 1], .int8, scheme)
    let weights = builder.weights([1, 1, 1, 1], .int8, Quantization(scale: 1, zeroPoint: 0))
    let sum = builder.node(convolution(.valid), [input, weights], .int8, scheme)
    let output = builder.node(.unary(Unary(kind: .relu6)), [sum], .int8, scheme)
    let graph = try canonicalize(builder.finish(output))
    #expect(graph.nodes.count == 1)
    guard case .convolution2D(let parameters) = graph.nodes[0].operation else {
      Issue.record("\(graph.nodes[0].operation)")
      return
    }
    #expect(parameters.activation == .relu6)
    #expect(graph.nodes[0].outputs == graph.outputs)
    #expect(graph.outputSpecifications[0].name == "relu6")
  }

  @Test("a clamp that changes the scale, or whose operand others read, stays")
  func keepsActivation() throws {
    for isShared in [false, true] {
      var builder = GraphBuilder()
      let input = builder.input([4], .int8, scheme)
      let other = Quantization(scale: isShared ? 0.5 : 0.25, zeroPoint: 3)
      let sum = builder.node(.binary(Binary(kind: .add)), [input, input], .int8, scheme)
      let output = builder.node(.unary(Unary(kind: .relu)), [sum], .int8, other)
      let graph = try isShared ? builder.finish(output, sum) : builder.finish(output)
      #expect(try canonicalize(graph).nodes.count == 2)
    }
  }

  @Test("layout operators become reshapes with numbers, and those that change nothing go")
  func reshapes() throws {
    var builder = GraphBuilder()
    let input = builder.input([1, 4])
    let same = builder.node(.reshape(Reshape(target: nil)), [input, builder.integers([1, -1])])
    let squeezed = builder.node(.squeeze(Squeeze(axes: [0])), [same])
    let sum = builder.node(.binary(Binary(kind: .add)), [squeezed, squeezed])
    let output = builder.node(.reshape(Reshape(target: [4])), [sum])
    let graph = try canonicalize(builder.finish(output))
    #expect(
      graph.nodes.map(\.operation)
        == [.reshape(Reshape(target: [4])), .binary(Binary(kind: .add))])
    #expect(graph.nodes[0].inputs == [graph.inputs[0]])
    #expect(graph.nodes[1].outputs == graph.outputs)
    #expect(graph.outputSpecifications[0].name == "reshape")
  }

  @Test("an output that only repeats an input is still made")
  func repeatedInput() throws {
    var builder = GraphBuilder()
    let input = builder.input([4])
    let output = builder.node(.reshape(Reshape(target: [4])), [input])
    let graph = try canonicalize(builder.finish(output))
    #expect(graph.nodes.count == 1)
    #expect(graph.outputs != graph.inputs)
  }

  @Test("int8 to float and back is nothing; float to int8 and back rounds and stays")
  func cancels() throws {
    var builder = GraphBuilder()
    let codes = builder.input([4], .int8, scheme)
    let real = builder.node(.dequantize, [codes])
    let again = builder.node(.quantize, [real], .int8, scheme)
    let output = builder.node(.unary(Unary(kind: .logistic)), [again], .int8, scheme)
    let graph = try canonicalize(builder.finish(output))
    #expect(graph.nodes.map(\.operation) == [.unary(Unary(kind: .logistic))])
    #expect(graph.nodes[0].inputs == [graph.inputs[0]])

    var other = GraphBuilder()
    let input = other.input([4])
    let rounded = other.node(.quantize, [input], .int8, scheme)
    let back = other.node(.dequantize, [rounded])
    #expect(try canonicalize(other.finish(back)).nodes.count == 2)
  }

  @Test("constants are dequantised once, per channel too")
  func foldsDequantize() throws {
    var builder = GraphBuilder()
    let input = builder.input([2, 2])
    let type = TensorType(
      .int8, [2, 2],
      quantization: Quantization(scales: [0.5, 2], zeroPoints: [0, 1], axis: 1))
    let codes = builder.graph.append(
      Value(name: "codes", type: type, constant: ByteView([Int8](arrayLiteral: 2, -3, 4, 127))))
    let real = builder.node(.dequantize, [codes])
    let output = builder.node(.binary(Binary(kind: .add)), [input, real])
    let graph = try canonicalize(builder.finish(output))
    #expect(graph.nodes.count == 1)
    let folded = try #require(secondOperand(of: graph).constant)
    #expect(folded.hasSameBytes(as: ByteView([Float(1), -8, 2, 252])))
    // The codes that nothing reads any more are gone.
    #expect(graph.values.count == 3)
  }

  @Test("an output that is constant needs no node")
  func constantOutput() throws {
    var builder = GraphBuilder()
    let codes = builder.weights([3], .int8, scheme)
    let output = builder.node(.dequantize, [codes])
    let graph = try canonicalize(builder.finish(output))
    #expect(graph.nodes.isEmpty)
    let folded = try #require(graph[graph.outputs[0]].constant)
    #expect(folded.hasSameBytes(as: ByteView([Float](repeating: -1.5, count: 3))))
  }

  @Test("constants of 16-bit floats and 4-bit codes are widened")
  func foldsNarrow() throws {
    for (type, bytes, expected) in [
      (TensorType(.float16, [2]), [0x00, 0x3C, 0x00, 0xC0], [1, -2]),
      (TensorType(.int4, [3], quantization: Quantization(scale: 2, zeroPoint: 0)), [0x8F, 0x07],
        [-2, -16, 14]),
    ] as [(TensorType, [UInt8], [Float])] {
      var builder = GraphBuilder()
      let input = builder.input(type.shape)
      let codes = builder.graph.append(Value(name: "", type: type, constant: ByteView(bytes)))
      let real = builder.node(.dequantize, [codes])
      let output = builder.node(.binary(Binary(kind: .add)), [input, real])
      let graph = try canonicalize(builder.finish(output))
      let folded = try #require(secondOperand(of: graph).constant)
      #expect(folded.hasSameBytes(as: ByteView(expected)))
    }
  }

  @Test("a float constant is quantised half away from zero, and saturates")
  func foldsQuantize() throws {
    var builder = GraphBuilder()
    let input = builder.input([4], .int8, scheme)
    let numbers = builder.graph.append(
      Value(
        name: "", type: TensorType(.float32, [4]),
        constant: ByteView([Float](arrayLiteral: 0.25, -0.25, 1e9, -.infinity))))
    let codes = builder.node(.quantize, [numbers], .int8, scheme)
    let output = builder.node(.binary(Binary(kind: .add)), [input, codes], .int8, scheme)
    let graph = try canonicalize(builder.finish(output))
    let folded = try #require(secondOperand(of: graph).constant)
    #expect(folded.hasSameBytes(as: ByteView([Int8](arrayLiteral: 4, 2, 127, -128))))
  }

  @Test("what no output needs is not computed, and signatures follow the values")
  func eliminatesDeadNodes() throws {
    var builder = GraphBuilder()
    _ = builder.weights([100])
    let input = builder.input([4])
    builder.node(.unary(Unary(kind: .tanh)), [input])
    let output = builder.node(.unary(Unary(kind: .logistic)), [input])
    builder.graph.signatures = [
      Signature(
        key: "serve", inputs: [Signature.Entry(name: "x", value: input)],
        outputs: [Signature.Entry(name: "y", value: output)])
    ]
    let graph = try canonicalize(builder.finish(output))
    #expect(graph.nodes.map(\.operation) == [.unary(Unary(kind: .logistic))])
    #expect(graph.values.count == 2)
    #expect(graph.signatures[0].inputs[0].value == graph.inputs[0])
    #expect(graph.signatures[0].outputs[0].value == graph.outputs[0])
  }

  @Test("uint8 codes become int8 codes of the same numbers, but at inputs and outputs")
  func signsCodes() throws {
    let unsigned = Quantization(scale: 0.5, zeroPoint: 130)
    var builder = GraphBuilder()
    let input = builder.input([1, 4], .uint8, unsigned)
    let sum = builder.node(.binary(Binary(kind: .add)), [input, input], .uint8, unsigned)
    let output = builder.node(.unary(Unary(kind: .logistic)), [sum], .uint8, unsigned)
    let graph = try canonicalize(builder.finish(output))
    #expect(graph.nodes.map(\.operation.name) == ["quantize", "add", "logistic", "quantize"])
    #expect(graph.inputSpecifications[0].type.dataType == .uint8)
    #expect(graph.outputSpecifications[0].type.dataType == .uint8)
    let inner = graph[graph.nodes[1].outputs[0]].type
    #expect(inner.dataType == .int8)
    #expect(inner.quantization == Quantization(scale: 0.5, zeroPoint: 2))
  }
}
