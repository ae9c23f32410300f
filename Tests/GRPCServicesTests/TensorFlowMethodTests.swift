import ByteParsing
import GRPC
import GRPCServices
import Serving
import Synchronization
import TensorFlowServing
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

  /// An `Input` of examples, each with one float feature called `x`; nil takes the context's.
  static func examples(
    _ writer: inout ProtobufWriter, _ values: [Float?], context: Float? = nil, field: Int = 2
  ) {
    func example(_ value: Float?, _ writer: inout ProtobufWriter, _ number: Int) {
      writer.message(number) { example in
        guard let value else { return }
        example.message(1) { features in
          features.entry(1, "x") { $0.message(2) { $0.bytes(1, bytes([value])) } }
        }
      }
    }
    writer.message(field) { input in
      input.message(context == nil ? 1 : 2) { list in
        for value in values { example(value, &list, 1) }
        if let context { example(context, &list, 2) }
      }
    }
  }

  @Test("regress gives a value for each example, its features from the context where it has none")
  func regress() {
    for (values, context, expected) in [
      ([1, 2], nil, [2.5, 3]), ([nil, 0], 4, [4, 2]),
    ] as [([Float?], Float?, [Float])] {
      let reply = fixture.predict("Regress") {
        Self.spec(&$0)
        Self.examples(&$0, values, context: context)
      }.fields
      #expect(
        reply.at(1)?.fields.all(1).map { $0.fields.at(1)?.bytes } == expected.map { bytes([$0]) })
      #expect(reply.at(2, 2, 1)?.integer == 123)
    }
  }

  @Test("classify gives the classes of each example in the model's order; integers fill int8")
  func classify() {
    let reply = fixture.predict("Classify") {
      Self.spec(&$0, "digits")
      $0.message(2) { input in
        input.message(1) { list in
          list.message(1) { example in
            example.message(1) { features in
              features.entry(1, "image") { feature in
                feature.message(3) {
                  $0.packed(1, [UInt64](repeating: UInt64(bitPattern: -128), count: 64))
                }
              }
            }
          }
        }
      }
    }.fields
    let classes = reply.at(1, 1)?.fields.all(1) ?? []
    #expect(classes.map { $0.fields.at(1)?.text } == (0..<10).map { "\($0)" })
    #expect(classes.allSatisfy { $0.fields.at(2)?.bytes.count == 4 })
    #expect(reply.at(2, 3)?.text == "serving_default")
  }

  @Test("multi-inference answers each task with one version")
  func multiInference() {
    func tasks(_ writer: inout ProtobufWriter, _ names: [(String, String)]) {
      for (model, method) in names {
        writer.message(1) { task in
          Self.spec(&task, model)
          task.text(2, "tensorflow/serving/" + method)
        }
      }
    }
    let reply = fixture.predict("MultiInference") {
      tasks(&$0, [("half_plus_two", "regress"), ("half_plus_two", "regress")])
      Self.examples(&$0, [1])
    }.fields
    #expect(reply.all(1).count == 2)
    for result in reply.all(1) {
      #expect(result.fields.at(1, 2, 1)?.integer == 123)
      #expect(result.fields.at(3, 1, 1)?.bytes == bytes([2.5]))
    }
    func refused(_ names: [(String, String)]) -> GRPCStatus? {
      fixture.predict("MultiInference") {
        tasks(&$0, names)
        Self.examples(&$0, [1])
      }.status
    }
    #expect(refused([])?.message == "Inference request must have tasks.")
    #expect(refused([("half_plus_two", "explain")])?.code == .unimplemented)
    #expect(
      refused([("half_plus_two", "regress"), ("digits", "classify")])?.message
        == "All tasks must name one model and version; these name 'half_plus_two' and 'digits'.")
    #expect(refused([("nope", "regress")])?.code == .notFound)
  }

  @Test("examples that do not fit are refused")
  func wrongExamples() {
    func refused(_ name: String, _ write: (inout ProtobufWriter) -> Void) -> String? {
      fixture.predict(name) {
        Self.spec(&$0)
        write(&$0)
      }.status?.message
    }
    #expect(
      refused("Classify") { Self.examples(&$0, [1]) }
        == "Expected classify signature method_name to be tensorflow/serving/classify. "
        + "Was: tensorflow/serving/predict")
    #expect(refused("Regress") { _ in } == "Input is empty.")
    #expect(refused("Regress") { Self.examples(&$0, [1, nil]) } == "Example 1 lacks the feature: x")
    let long = refused("Regress") {
      $0.message(2) { input in
        input.message(1) { list in
          list.message(1) { example in
            example.message(1) { features in
              features.entry(1, "x") { $0.message(3) { $0.packed(1, [1, 2]) } }
            }
          }
        }
      }
    }
    #expect(long == "Feature x: Expecting 1 values but got: 2")
    let many = refused("Regress") { Self.examples(&$0, [Float?](repeating: 1, count: 257)) }
    #expect(many == "Task size 257 is larger than maximum input batch size 256")
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
    #expect(
      fixture.call(path, message: []).status
        == GRPCStatus(.invalidArgument, "The request names no model."))
  }

  @Test("a reload carries models, policies and labels, and says what is wrong with them")
  func reloadConfiguration() {
    let path = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
    func reload(
      _ name: String, base: String = "/srv", _ more: (inout ProtobufWriter) -> Void = { _ in }
    ) -> GRPCReply {
      let message = written { request in
        request.message(1) { config in
          config.message(1) { list in
            list.message(1) { model in
              model.text(1, name)
              model.text(2, base)
              more(&model)
            }
          }
        }
      }
      return fixture.call(path, message: message)
    }
    let accepted = reload("digits") { model in
      model.text(4, "tensorflow")
      model.message(7) { policy in policy.message(102) { $0.packed(1, [1, 3]) } }
      model.message(8) { label in
        label.text(1, "canary")
        label.int64(2, 3)
      }
    }
    #expect(accepted.status == nil)
    #expect(accepted.fields.at(1)?.bytes == [])
    let model = fixture.replaced.config.withLock { $0?.models.first }
    #expect(model?.name == "digits")
    #expect(model?.basePath == "/srv")
    #expect(model?.policy == .specific([1, 3]))
    #expect(model?.labels == ["canary": 3])
    _ = reload("digits") { $0.message(7) { $0.message(100) { $0.integer(1, 4) } } }
    #expect(fixture.replaced.config.withLock { $0?.models.first?.policy } == .latest(4))
    _ = reload("digits") { $0.message(7) { $0.message(101) { _ in } } }
    #expect(fixture.replaced.config.withLock { $0?.models.first?.policy } == .all)
    #expect(reload("bad").status?.code == .notFound)
    #expect(reload("x", base: "").status?.message == "a model lacks its base_path.")
    #expect(reload("x") { $0.text(4, "torch") }.status?.code == .invalidArgument)
    #expect(reload("x") { $0.message(6) { _ in } }.status?.code == .invalidArgument)
  }
}
