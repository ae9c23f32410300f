import OpenInference
import Serving
import Tensors
import TestSupport
import Testing
import Transport

/// A version that exists on paper alone: to decode requests for models of any interface.
func describe(
  inputs: [(String, DataType, Shape)], outputs: [(String, DataType, Shape)]
) -> VersionDescription {
  let specify = { (tensors: [(String, DataType, Shape)]) in
    tensors.map { name, type, shape in
      TensorSpecification(name: name, type: TensorType(type, shape), signatureShape: shape)
    }
  }
  let signature = SignatureDescription(
    key: "serving_default", inputs: specify(inputs), outputs: specify(outputs))
  return VersionDescription(
    model: "m", version: 3, inputs: signature.inputs, outputs: signature.outputs,
    signatures: [signature], labels: [])
}

@Suite("Open Inference Protocol bodies")
struct OpenInferenceCodecTests {
  @Test(
    "every datatype goes in and out unchanged",
    arguments: [
      ("BOOL", DataType.bool, "[true,false]"), ("INT8", .int8, "[-128,127]"),
      ("UINT8", .uint8, "[0,255]"), ("INT16", .int16, "[-32768,32767]"),
      ("UINT16", .uint16, "[0,65535]"), ("INT32", .int32, "[-2147483648,2147483647]"),
      ("UINT32", .uint32, "[0,4294967295]"),
      ("INT64", .int64, "[-9223372036854775808,9223372036854775807]"),
      ("UINT64", .uint64, "[0,18446744073709551615]"), ("FP32", .float32, "[0.1,-3.4028235e+38]"),
      ("FP64", .float64, "[0.1,5e-324]"),
    ])
  func datatypes(name: String, type: DataType, data: String) throws {
    let description = describe(inputs: [("a", type, [2])], outputs: [("b", type, [2])])
    let body = #"{"inputs":[{"name":"a","datatype":"\#(name)","shape":[2],"data":\#(data)}]}"#
    let request = try InferRequest(
      body: Array(body.utf8), headerLength: nil, description: description)
    let input = try #require(request.inputs.first)
    #expect(input.dataType == type)
    #expect(input.shape == [2])
    let output = NamedTensor(name: "b", dataType: type, shape: [2], bytes: input.bytes)
    let reply = try inferReply(
      InferenceResponse(version: 3, outputs: [output]), to: request, model: "m")
    #expect(
      String(decoding: reply.body, as: UTF8.self)
        == #"{"model_name":"m","model_version":"3","outputs":[{"name":"b","datatype":"\#(name)","shape":[2],"data":\#(data)}]}"#
    )
  }

  @Test("two binary inputs lie in the order of the header, a listed one between them")
  func mixed() throws {
    let description = describe(
      inputs: [("a", .uint8, [2]), ("b", .int16, [1]), ("c", .uint8, [1])], outputs: [])
    let header =
      #"{"inputs":[{"name":"c","datatype":"UINT8","shape":[1],"parameters":{"binary_data_size":1}},{"name":"b","datatype":"INT16","shape":[1],"data":[7]},{"name":"a","datatype":"UINT8","shape":[2],"parameters":{"binary_data_size":2}}]}"#
    let request = try InferRequest(
      body: Array(header.utf8) + [1, 2, 3], headerLength: header.utf8.count,
      description: description)
    #expect(request.inputs.map(\.bytes) == [[1], [7, 0], [2, 3]])
  }

  @Test("an output without a form in JSON must be asked for in binary")
  func binaryOnly() throws {
    let output = NamedTensor(name: "h", dataType: .float16, shape: [1], bytes: [0, 0x3C])
    let response = InferenceResponse(version: 1, outputs: [output])
    var request = InferRequest()
    #expect(throws: OpenInference.RequestError.binaryOnly(output: "h", .float16)) {
      try inferReply(response, to: request, model: "m")
    }
    request.prefersBinary = true
    #expect(try inferReply(response, to: request, model: "m").body.suffix(2) == [0, 0x3C])
  }

  @Test("names of the protocol stand for one type each")
  func names() {
    let nameless: [DataType] = [.int4, .complex64]
    for type in DataType.allCases where !nameless.contains(type) {
      #expect(datatypeName(type).flatMap { dataType(named: $0) } == type)
    }
    for type in nameless { #expect(datatypeName(type) == nil) }
  }

  @Test("any body is read or refused")
  func mutations() {
    let description = describe(
      inputs: [("a", .float32, [1, 4]), ("b", .int8, [1, 2])], outputs: [("c", .int8, [1])])
    let json =
      #"{"id":"1","parameters":{"binary_data_output":true},"inputs":[{"name":"a","datatype":"FP32","shape":[1,4],"data":[[1.5,2,3e1,NaN]]},{"name":"b","shape":[1,2],"datatype":"INT8","parameters":{"binary_data_size":2}}],"outputs":[{"name":"c"}]}"#
    var random = SplitMix64(seed: 21)
    let seed = Array(json.utf8) + [1, 2]
    for _ in 0..<20_000 {
      let body = seed.mutated(using: &random)
      let length = Bool.random(using: &random) ? json.utf8.count : body.count
      guard
        let request = try? InferRequest(
          body: body, headerLength: length, description: description)
      else { continue }
      for input in request.inputs where input.dataType != .string {
        #expect(
          input.dataType.byteCount(of: input.shape.elementCount ?? -1) == input.bytes.count)
      }
    }
  }
}
