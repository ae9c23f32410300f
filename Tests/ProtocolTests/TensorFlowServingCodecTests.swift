import Serving
import TensorFlowServing
import Tensors
import TestSupport
import Testing
import Transport

@Suite("TensorFlow Serving bodies")
struct TensorFlowServingCodecTests {
  let two = describe(
    inputs: [("a", .int32, [1, 2]), ("b", .bool, [1])],
    outputs: [("p", .int32, [1, 2]), ("q", .float32, [1])])

  private func read(_ body: String) throws -> PredictRequest {
    try PredictRequest(body: Array(body.utf8), description: two)
  }

  private static let tensors = [
    NamedTensor(
      name: "a", dataType: .int32, shape: [2, 2],
      bytes: [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]),
    NamedTensor(name: "b", dataType: .bool, shape: [2], bytes: [1, 0]),
  ]

  @Test(
    "several inputs by name, in rows and in columns",
    arguments: [
      #"{"instances":[{"a":[1,2],"b":true},{"b":false,"a":[3,4]}]}"#,
      #"{"inputs":{"b":[true,false],"more":0,"a":[[1,2],[3,4]]}}"#,
    ])
  func several(body: String) throws {
    #expect(try read(body).inference.inputs == Self.tensors)
  }

  @Test("dim 0 may differ between the columns, for the service to judge")
  func columns() throws {
    let inputs = try read(#"{"inputs":{"a":[[1,2]],"b":[true,false,true]}}"#).inference.inputs
    #expect(inputs.map(\.shape) == [[1, 2], [3]])
  }

  @Test(
    "several inputs need names, and all of them in each row",
    arguments: [
      (#"{"instances":[[1,2]]}"#, TensorFlowServing.RequestError.plainInstances),
      (#"{"inputs":[[1,2]]}"#, .plainInputs), (#"{"inputs":{"a":[[1,2]]}}"#, .missingInput("b")),
      (#"{"instances":[{"a":[1,2]}]}"#, .instanceKeys(row: 0, expected: ["a", "b"])),
      (
        #"{"instances":[{"a":[1,2],"b":true},{"a":[1,2]}]}"#,
        .instanceKeys(row: 1, expected: ["a", "b"])
      ),
    ])
  func names(body: String, error: TensorFlowServing.RequestError) {
    #expect(throws: error) { try read(body) }
  }

  @Test("half and uint16 inputs have no form", arguments: [DataType.float16, .uint16])
  func unsupported(type: DataType) {
    let description = describe(inputs: [("a", type, [1])], outputs: [])
    #expect(throws: TensorFlowServing.RequestError.unsupportedType(type)) {
      try PredictRequest(body: Array(#"{"instances":[1]}"#.utf8), description: description)
    }
  }

  private static func output(_ name: String, _ shape: Shape, _ bytes: [UInt8]) -> NamedTensor {
    NamedTensor(name: name, dataType: .int8, shape: shape, bytes: bytes)
  }

  @Test(
    "replies have the form of the request",
    arguments: [
      (PredictRequest.Form.row, 1, #"{"predictions":[[1,2],[3,4]]}"#),
      (.row, 2, #"{"predictions":[{"p":[1,2],"q":5},{"p":[3,4],"q":6}]}"#),
      (.column, 1, #"{"outputs":[[1,2],[3,4]]}"#),
      (.column, 2, #"{"outputs":{"p":[[1,2],[3,4]],"q":[5,6]}}"#),
    ])
  func replies(form: PredictRequest.Form, count: Int, expected: String) throws {
    let outputs = [Self.output("p", [2, 2], [1, 2, 3, 4]), Self.output("q", [2], [5, 6])]
    let reply = try predictReply(
      InferenceResponse(version: 1, outputs: Array(outputs[..<count])), form: form)
    #expect(String(decoding: reply.body, as: UTF8.self) == expected)
  }

  @Test("rows need outputs that share their leading extent")
  func unevenOutputs() {
    let uneven = [Self.output("p", [2], [1, 2]), Self.output("q", [1], [5])]
    #expect(throws: TensorFlowServing.RequestError.outputRows("q", expected: 2, actual: 1)) {
      try predictReply(InferenceResponse(version: 1, outputs: uneven), form: .row)
    }
    #expect(throws: TensorFlowServing.RequestError.scalarOutput("s")) {
      try predictReply(
        InferenceResponse(version: 1, outputs: [Self.output("s", [], [1])]), form: .row)
    }
  }

  @Test("any body is read or refused")
  func mutations() {
    let seeds = [
      #"{"instances":[{"a":[1,2],"b":true},{"b":false,"a":[3,4]}]}"#,
      #"{"signature_name":"serving_default","inputs":{"b":[true,false],"a":[[1,2],[3,4]]}}"#,
      #"{"instances":[[1,2],[3,4]]}"#, #"{"inputs":{"b64":"AA=="}}"#,
    ].map { Array($0.utf8) }
    var random = SplitMix64(seed: 22)
    for round in 0..<20_000 {
      let body = seeds[round % seeds.count].mutated(using: &random)
      guard let request = try? PredictRequest(body: body, description: two) else { continue }
      for input in request.inference.inputs {
        #expect(
          input.dataType.byteCount(of: input.shape.elementCount ?? -1) == input.bytes.count)
      }
    }
  }
}
