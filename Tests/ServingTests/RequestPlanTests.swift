import Tensors
import Testing

@testable import Serving

@Suite("Request validation")
struct RequestPlanTests {
  static let image = TensorSpecification(
    name: "image", type: TensorType(.int8, [1, 4, 4, 1]), signatureShape: [-1, 4, 4, 1])
  static let mask = TensorSpecification(
    name: "mask", type: TensorType(.float32, [1, 2]), signatureShape: [-1, 2])
  static let scores = TensorSpecification(
    name: "scores", type: TensorType(.int8, [1, 10]), signatureShape: [-1, 10])
  static let loss = TensorSpecification(
    name: "loss", type: TensorType(.float32, []), signatureShape: [])
  static let description = VersionDescription(
    model: "m", version: 7, inputs: [image, mask], outputs: [scores, loss], signatures: [],
    labels: [])

  static func tensor(_ name: String, _ type: DataType, _ shape: Shape, bytes: Int? = nil)
    -> NamedTensor
  {
    let count = bytes ?? type.byteCount(of: shape.elementCount ?? 0) ?? 0
    return NamedTensor(
      name: name, dataType: type, shape: shape, bytes: [UInt8](repeating: 0, count: count))
  }

  static func plan(_ inputs: [NamedTensor], outputs: [String]? = nil) throws(ServingError)
    -> RequestPlan
  {
    try RequestPlan(
      InferenceRequest(inputs: inputs, outputNames: outputs), description, batchMaximum: 8)
  }

  static let goodImage = tensor("image", .int8, [1, 4, 4, 1])
  static let goodMask = tensor("mask", .float32, [1, 2])

  @Test("takes inputs in any order, and gives every output")
  func anyOrder() throws {
    let plan = try Self.plan([Self.goodMask, Self.goodImage])
    #expect(plan.inputs.map(\.tensor) == [1, 0])
    #expect(plan.inputs.map(\.rowBytes) == [16, 8])
    #expect(plan.outputs.map(\.index) == [0, 1])
    #expect(plan.rows == 1)
  }

  @Test("runs a leading extent of three as three rows, and makes scalars a vector")
  func rows() throws {
    let plan = try Self.plan([
      Self.tensor("image", .int8, [3, 4, 4, 1]), Self.tensor("mask", .float32, [3, 2]),
    ])
    #expect(plan.rows == 3)
    #expect(plan.outputs.map(\.shape) == [[3, 10], [3]])
  }

  @Test("gives the outputs asked for, in their order")
  func outputFilter() throws {
    let plan = try Self.plan([Self.goodImage, Self.goodMask], outputs: ["loss", "scores"])
    #expect(plan.outputs.map(\.index) == [1, 0])
  }

  static let refusals: [(ServingError, [NamedTensor])] = [
    (.missingInput(name: "mask"), [goodImage]),
    (.unknownInput(name: "x"), [goodImage, goodMask, tensor("x", .int8, [1])]),
    (.duplicateInput(name: "image"), [goodImage, goodMask, goodImage]),
    (
      .wrongDataType(input: "image", expected: .int8, actual: .uint8),
      [tensor("image", .uint8, [1, 4, 4, 1]), goodMask]
    ),
    (
      .wrongShape(input: "image", expected: [-1, 4, 4, 1], actual: [1, 4, 4]),
      [tensor("image", .int8, [1, 4, 4]), goodMask]
    ),
    (
      .wrongShape(input: "image", expected: [-1, 4, 4, 1], actual: [1, 4, 5, 1]),
      [tensor("image", .int8, [1, 4, 5, 1]), goodMask]
    ),
    (
      .wrongShape(input: "image", expected: [-1, 4, 4, 1], actual: [0, 4, 4, 1]),
      [tensor("image", .int8, [0, 4, 4, 1]), goodMask]
    ),
    (
      .wrongShape(input: "image", expected: [-1, 4, 4, 1], actual: [-1, 4, 4, 1]),
      [tensor("image", .int8, [-1, 4, 4, 1]), goodMask]
    ),
    (
      .wrongByteCount(input: "image", expected: 16, actual: 15),
      [tensor("image", .int8, [1, 4, 4, 1], bytes: 15), goodMask]
    ),
    (
      .batchMismatch(input: "mask", expected: 2, actual: 1),
      [tensor("image", .int8, [2, 4, 4, 1]), goodMask]
    ),
    (
      .batchTooLarge(limit: 8, actual: 9),
      [tensor("image", .int8, [9, 4, 4, 1]), tensor("mask", .float32, [9, 2])]
    ),
    (
      .batchTooLarge(limit: 8, actual: .max),
      [tensor("image", .int8, [.max, 4, 4, 1], bytes: 16), goodMask]
    ),
  ]

  @Test("refuses with what was expected and what came", arguments: refusals)
  func refusal(error: ServingError, inputs: [NamedTensor]) {
    #expect(throws: error) { _ = try Self.plan(inputs) }
  }

  @Test("refuses an output that the model does not have")
  func unknownOutput() {
    #expect(throws: ServingError.unknownOutput(name: "y")) {
      _ = try Self.plan([Self.goodImage, Self.goodMask], outputs: ["y"])
    }
  }
}
