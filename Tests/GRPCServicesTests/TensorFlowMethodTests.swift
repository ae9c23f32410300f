import ByteParsing
import GRPC
import GRPCServices
import Testing

@Suite("TensorFlow Serving over gRPC")
struct TensorFlowMethodTests {
  private let fixture = MethodFixture.shared

  /// A `model_spec` in field 1.
  static func spec(
    _ writer: inout ProtobufWriter, _ model: String = "half_plus_two", version: Int64? = nil,
    label: String = "", signature: String = ""
  ) {
    writer.message(1) { spec in
      spec.text(1, model)
      if let version { spec.message(2) { $0.int64(1, version) } }
      spec.text(3, signature)
      spec.text(4, label)
    }
  }

  /// A tensor with the values that `values` writes.
  static func input(
    _ writer: inout ProtobufWriter, _ name: String = "x", type: UInt64 = 1, extents: [Int64] = [2],
    values: (inout ProtobufWriter) -> Void
  ) {
    writer.entry(2, name) { tensor in
      tensor.integer(1, type)
      tensor.message(2) { shape in
        for extent in extents { shape.message(2) { $0.int64(1, extent) } }
      }
      values(&tensor)
    }
  }

  private static func two(_ writer: inout ProtobufWriter) {
    input(&writer) { $0.bytes(4, bytes([1, 2])) }
  }

  @Test("tensors come as content or as values; replies name version and signature")
  func predict() {
    for values: (inout ProtobufWriter) -> Void in [
      { $0.bytes(4, bytes([1, 2])) }, { $0.bytes(5, bytes([1, 2])) },
      {
        $0.float(5, 1)
        $0.float(5, 2)
      },
    ] {
      let reply = fixture.predict("Predict") {
        Self.spec(&$0)
        Self.input(&$0, values: values)
      }.fields
      #expect(reply.at(1, 1)?.text == "y")
      #expect(reply.at(1, 2, 1)?.integer == 1)
      #expect(reply.at(1, 2, 2, 2, 1)?.integer == 2)
      #expect(reply.at(1, 2, 5)?.bytes == bytes([2.5, 3]))
      #expect(reply.at(2, 1)?.text == "half_plus_two")
      #expect(reply.at(2, 2, 1)?.integer == 123)
      #expect(reply.at(2, 3)?.text == "serving_default")
    }
  }

  @Test("one value stands for a whole tensor, and none for zeros")
  func repetition() {
    let one = fixture.predict("Predict") {
      Self.spec(&$0, label: "stable")
      Self.input(&$0, extents: [3]) { $0.float(5, 4) }
    }.fields
    #expect(one.at(1, 2, 5)?.bytes == bytes([4, 4, 4]))
    let none = fixture.predict("Predict") {
      Self.spec(&$0, version: 123)
      Self.input(&$0) { _ in }
    }.fields
    #expect(none.at(1, 2, 5)?.bytes == bytes([2, 2]))
  }

  @Test("int8 tensors come as integers and are answered so")
  func integers() {
    func digits(_ value: Int64) -> GRPCReply {
      fixture.predict("Predict") {
        Self.spec(&$0, "digits")
        Self.input(&$0, "image", type: 6, extents: [1, 8, 8, 1]) {
          $0.packed(7, [UInt64(bitPattern: value)])
        }
      }
    }
    let reply = digits(-128).fields
    #expect(reply.at(1, 2, 1)?.integer == 6)
    var scores: [UInt64] = []
    var reader = ProtobufReader(reply.at(1, 2)?.bytes ?? [])
    while let field = try? reader.next() {
      if field.number == 7 {
        try? reader.integers(field) { scores.append($0) }
      } else {
        try? reader.skip(field)
      }
    }
    #expect(scores.count == 10)
    #expect(scores.allSatisfy { Int8(exactly: Int64(bitPattern: $0)) != nil })
    #expect(
      digits(200).status?.message
        == "Input image has the value 200, which is out of the range of DT_INT8")
  }

  @Test("wrong requests are refused with the code and the words of TensorFlow Serving")
  func refusals() {
    func refused(_ write: (inout ProtobufWriter) -> Void) -> GRPCStatus? {
      fixture.predict("Predict", write).status
    }
    for (status, code, message) in [
      (refused { Self.two(&$0) }, GRPCCode.invalidArgument, "Missing ModelSpec"),
      (
        refused { Self.spec(&$0, "nope") }, .notFound, "Servable not found for request: Latest(nope)"
      ),
      (
        refused { Self.spec(&$0, version: 9) }, .notFound,
        "Servable not found for request: Specific(half_plus_two, 9)"
      ),
      (
        refused { Self.spec(&$0, label: "l") }, .invalidArgument,
        "Unrecognized servable version label: l"
      ),
      (
        refused {
          Self.spec(&$0, signature: "s")
          Self.two(&$0)
        }, .failedPrecondition, "Serving signature key \"s\" not found."
      ),
      (
        refused {
          Self.spec(&$0)
          Self.input(&$0, "z") { $0.bytes(4, bytes([1, 2])) }
        }, .invalidArgument,
        "input size does not match signature: 1!=1 len({z}) != len({x}). Sent extra: {z}. "
          + "Missing but required: {x}."
      ),
      (
        refused {
          Self.spec(&$0)
          Self.two(&$0)
          $0.element(3, "w")
        }, .invalidArgument,
        "output tensor alias not found in signature: w Outputs expected to be in the set {y}."
      ),
      (
        refused {
          Self.spec(&$0)
          Self.input(&$0, type: 7) { $0.element(8, "text") }
        }, .invalidArgument, "Input x of type string is not of expected type: float"
      ),
      (
        refused {
          Self.spec(&$0)
          Self.input(&$0, type: 14) { _ in }
        }, .invalidArgument, "Input x has the element type 14, which no model takes"
      ),
      (
        refused {
          Self.spec(&$0)
          Self.input(&$0) { $0.bytes(4, [1, 2, 3]) }
        }, .invalidArgument, "Input x: Expecting tensor size: 8 but got: 3"
      ),
      (
        refused {
          Self.spec(&$0)
          Self.input(&$0, extents: [1]) { $0.bytes(5, bytes([1, 2])) }
        }, .invalidArgument, "Input x has 2 values, but its shape holds 1"
      ),
      (
        refused {
          Self.spec(&$0)
          Self.input(&$0, extents: [1 << 40]) { $0.float(5, 1) }
        }, .invalidArgument, "Input x: Expecting shape [-1] but got: [1099511627776]"
      ),
    ] {
      #expect(status?.code == code)
      #expect(status?.message == message)
    }
  }

  @Test("classify, regress and multi-inference name the signature that is missing")
  func otherCalls() {
    for (name, method) in [("Classify", "classify"), ("Regress", "regress")] {
      let status = fixture.predict(name) { Self.spec(&$0) }.status
      #expect(status?.code == .invalidArgument)
      #expect(
        status?.message
          == "Expected \(method) signature method_name to be tensorflow/serving/\(method). "
          + "Was: tensorflow/serving/predict")
      #expect(fixture.predict(name) { Self.spec(&$0, "nope") }.status?.code == .notFound)
    }
    let status = fixture.predict("MultiInference") {
      $0.message(1) { task in
        Self.spec(&task)
        task.text(2, "tensorflow/serving/regress")
      }
    }.status
    #expect(status?.message.contains("Expected regress signature") == true)
    #expect(fixture.predict("MultiInference").status?.code == .invalidArgument)
  }

  @Test("metadata are a map of signatures in an Any")
  func metadata() {
    let reply = fixture.predict("GetModelMetadata") {
      Self.spec(&$0)
      $0.element(2, "signature_def")
    }.fields
    #expect(reply.at(1, 2, 1)?.integer == 123)
    #expect(reply.at(2, 1)?.text == "signature_def")
    #expect(
      reply.at(2, 2, 1)?.text == "type.googleapis.com/tensorflow.serving.SignatureDefMap")
    let definition = reply.at(2, 2, 2, 1)?.fields ?? []
    #expect(definition.at(1)?.text == "serving_default")
    #expect(definition.at(2, 1, 1)?.text == "x")
    #expect(definition.at(2, 1, 2, 2)?.integer == 1)
    #expect(definition.at(2, 3)?.text == "tensorflow/serving/predict")
    #expect(fixture.predict("GetModelMetadata") { Self.spec(&$0) }.status?.code == .invalidArgument)
    let other = fixture.predict("GetModelMetadata") {
      Self.spec(&$0)
      $0.element(2, "other")
    }
    #expect(other.status?.message == "Metadata field other is not supported")
  }

  @Test("the status of a model lists its versions")
  func status() {
    func ask(_ write: (inout ProtobufWriter) -> Void) -> GRPCReply {
      fixture.call("/tensorflow.serving.ModelService/GetModelStatus", message: written(write))
    }
    let reply = ask { Self.spec(&$0) }.fields
    #expect(reply.at(1, 1)?.integer == 123)
    #expect(reply.at(1, 2)?.integer == 30)
    #expect(reply.at(1, 3)?.bytes == [])
    #expect(
      ask { Self.spec(&$0, "nope") }.status
        == GRPCStatus(.notFound, "Could not find any versions of model nope"))
    #expect(
      ask { Self.spec(&$0, version: 9) }.status
        == GRPCStatus(.notFound, "Could not find version 9 of model half_plus_two"))
  }

  @Test("a reload is for administrators")
  func reload() {
    let path = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
    #expect(fixture.call(path, message: [], user: 1000).status?.code == .permissionDenied)
    #expect(fixture.call(path, message: []).status?.code == .unimplemented)
  }
}
