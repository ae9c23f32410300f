import ByteParsing
import GRPC
import GRPCServices
import Glibc
import KernelDispatch
import Serving
import Synchronization
import TensorFlowServing
import TestSupport
import Transport

/// Every method over real models, called without a socket.
final class MethodFixture: Sendable {
  let manager: ModelManager
  let methods: [String: GRPCMethod]
  /// The configuration that was last asked for.
  let replaced = Replaced()

  /// half_plus_two 123 with the label `stable`, digits 2, and `absent`, which is never loaded. Lives
  /// as long as the tests.
  static let shared: MethodFixture = {
    do {
      let fixture = MethodFixture()
      try fixture.load("half_plus_two", 123, Fixtures.halfPlusTwoModel)
      try fixture.load("digits", 2, Fixtures.digitsModel(2))
      try fixture.manager.setLabel("stable", of: "half_plus_two", to: 123)
      fixture.manager.declare("absent")
      return fixture
    } catch {
      fatalError("\(error)")
    }
  }()

  init() {
    let manager = ModelManager(ServingConfiguration(table: .best))
    self.manager = manager
    let administration = Administration(
      isAllowed: { $0.peer?.userID == 0 },
      load: { model, completion in
        completion(model == "digits" ? nil : GRPCStatus(.notFound, "no such model"))
      },
      unload: { model in model == "digits" ? nil : GRPCStatus(.notFound, "no such model") },
      replace: { [replaced] config, completion in
        replaced.config.withLock { $0 = config }
        completion(
          config.models.contains { $0.name == "bad" } ? GRPCStatus(.notFound, "no such path") : nil)
      },
      settings: ServerSettings(
        log: { [replaced] in replaced.log.withLock { $0 } },
        changeLog: { [replaced] log in
          guard log.file == nil else { return GRPCStatus(.invalidArgument, "no file") }
          replaced.log.withLock { $0 = log }
          return nil
        },
        trace: { [("trace_level", ["OFF"]), ("trace_rate", ["0"])] },
        changeTrace: { [replaced] trace in
          replaced.trace.withLock { $0 = trace }
          return nil
        }))
    let service = manager.service
    methods = TensorFlowMethods(service: service, administration: administration).methods
      .merging(
        OpenInferenceMethods(
          service: service, serverVersion: "test", administration: administration
        ).methods
      ) { $1 }
      .merging(HealthMethods(service: service).methods) { $1 }
  }

  /// Loads a version and waits until it serves.
  func load(_ model: String, _ version: Int64, _ file: String) throws {
    let done = Signal<LoadFailure?>()
    manager.load(VersionSource(model: model, version: version, path: file)) { result in
      switch result {
      case .success: done.set(nil)
      case .failure(let failure): done.set(failure)
      }
    }
    if let failure = done.wait() { throw failure }
  }

  /// Calls a method and waits for its reply.
  func call(
    _ path: String, message: [UInt8], user: UInt32 = 0, memory: CallMemory = CallMemory(nil),
    deadline: UInt64? = nil
  ) -> GRPCReply {
    guard let method = methods[path] else { return .failure(GRPCStatus(.unimplemented, path)) }
    let done = Signal<GRPCReply>()
    let peer = PeerCredentials(processID: 1, userID: user, groupID: user)
    method.body(GRPCCall(message: message, peer: peer, memory: memory, deadline: deadline)) {
      done.set($0)
    }
    return done.wait()
  }

  /// Calls a method of the Open Inference Protocol.
  func infer(_ name: String, _ request: (inout ProtobufWriter) -> Void = { _ in }) -> GRPCReply {
    call("/inference.GRPCInferenceService/" + name, message: written(request))
  }

  func predict(_ name: String, _ request: (inout ProtobufWriter) -> Void = { _ in }) -> GRPCReply {
    call("/tensorflow.serving.PredictionService/" + name, message: written(request))
  }
}

/// What an administrator asked for.
final class Replaced: Sendable {
  let config = Mutex<ModelServerConfig?>(nil)
  let log = Mutex(ServerSettings.Log())
  let trace = Mutex(ServerSettings.Trace())
}

func written(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
  var writer = ProtobufWriter()
  body(&writer)
  return writer.bytes
}

/// A value that one thread sets once and another waits for.
final class Signal<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let isSet = Atomic<Bool>(false)

  func set(_ value: Value) {
    self.value.withLock { $0 = value }
    isSet.store(true, ordering: .releasing)
  }

  func wait() -> Value {
    while !isSet.load(ordering: .acquiring) { usleep(50) }
    // Set before the flag.
    return value.withLock { $0! }
  }
}

extension GRPCReply {
  /// The message without its prefix; nil for anything else.
  var body: [UInt8]? {
    guard case .message(let bytes) = self else { return nil }
    return Array(bytes.dropFirst(GRPCFraming.prefixBytes))
  }

  var status: GRPCStatus? {
    guard case .failure(let status) = self else { return nil }
    return status
  }

  /// The message as a tree of its fields.
  var fields: [WireField] { body.flatMap { try? WireField.read($0) } ?? [] }
}

/// One field of a message, whatever it means.
struct WireField: Equatable {
  var number: Int
  var integer: UInt64 = 0
  var bytes: [UInt8] = []

  var text: String { String(decoding: bytes, as: UTF8.self) }
  /// The field as a message; empty when it is none.
  var fields: [WireField] { (try? Self.read(bytes)) ?? [] }

  static func read(_ message: [UInt8]) throws(ProtobufError) -> [WireField] {
    var reader = ProtobufReader(message)
    var fields: [WireField] = []
    while let field = try reader.next() {
      switch field.wireType {
      case .varint:
        fields.append(WireField(number: field.number, integer: try reader.integer(field)))
      case .delimited:
        fields.append(WireField(number: field.number, bytes: Array(try reader.bytes(field))))
      case .fixed32:
        fields.append(
          WireField(number: field.number, bytes: Array(try reader.fixed32Elements(field))))
      case .fixed64:
        fields.append(
          WireField(number: field.number, bytes: Array(try reader.fixed64Elements(field))))
      }
    }
    return fields
  }
}

extension [WireField] {
  /// The first field at a path of numbers, through messages.
  func at(_ path: Int...) -> WireField? {
    var fields = self
    for number in path.dropLast() { fields = fields.first { $0.number == number }?.fields ?? [] }
    return fields.first { $0.number == path.last }
  }

  func all(_ number: Int) -> [WireField] { filter { $0.number == number } }
}

/// The bytes of float32 elements.
func bytes(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
}
