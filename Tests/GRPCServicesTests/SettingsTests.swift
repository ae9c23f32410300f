import ByteParsing
import GRPC
import GRPCServices
import Synchronization
import TestSupport
import Testing

@Suite("Settings over gRPC")
struct SettingsTests {
  private static let prefix = "/inference.GRPCInferenceService/"
  private let fixture = MethodFixture()

  private func ask(
    _ name: String, user: UInt32 = 0, _ request: (inout ProtobufWriter) -> Void = { _ in }
  ) -> GRPCReply {
    fixture.call(Self.prefix + name, message: written(request), user: user)
  }

  @Test("of the log are shown to all, and changed by administrators alone")
  func log() {
    let change = { (request: inout ProtobufWriter) in
      request.entry(1, "log_info") { $0.element(1, 0) }
      request.entry(1, "log_verbose_level") { $0.element(2, 1) }
      // Without a value it stays.
      request.entry(1, "log_error") { _ in }
    }
    #expect(ask("LogSettings", user: 1000, change).status?.code == .permissionDenied)
    #expect(fixture.replaced.log.withLock { $0 } == ServerSettings.Log())
    let reply = ask("LogSettings", change)
    var wanted = ServerSettings.Log()
    (wanted.info, wanted.verboseLevel) = (false, 1)
    #expect(fixture.replaced.log.withLock { $0 } == wanted)
    let shown = ask("LogSettings", user: 1000)
    #expect(shown.body == reply.body)
    // Numbers and switches that are zero are there, as members of a choice.
    let entries = shown.fields.all(1)
    #expect(entries.map { $0.fields.at(1)?.text } == [
      "log_file", "log_info", "log_warning", "log_error", "log_verbose_level", "log_format",
    ])
    #expect(entries[1].fields.at(2)?.fields.at(1)?.integer == 0)
    #expect(entries[4].fields.at(2)?.fields.at(2)?.integer == 1)
  }

  @Test("of traces are those of all models")
  func trace() {
    let change = { (request: inout ProtobufWriter) in
      request.entry(1, "trace_level") { $0.element(1, "TIMESTAMPS") }
      request.entry(1, "trace_rate") { $0.element(1, "10") }
      request.entry(1, "trace_count") { _ in }
    }
    #expect(ask("TraceSetting", user: 1000, change).status?.code == .permissionDenied)
    let reply = ask("TraceSetting", change)
    #expect(fixture.replaced.trace.withLock { $0.level } == ["TIMESTAMPS"])
    #expect(fixture.replaced.trace.withLock { $0.rate } == 10)
    #expect(reply.fields.all(1).map { $0.fields.at(2)?.fields.at(1)?.text } == ["OFF", "0"])
    #expect(ask("TraceSetting", user: 1000) { $0.text(2, "digits") }.body == reply.body)
    let ofModel = ask("TraceSetting") { request in
      change(&request)
      request.text(2, "digits")
    }
    #expect(ofModel.status?.code == .invalidArgument)
  }

  @Test("that are unknown, of another type or too many are refused, and nothing changes")
  func refusals() {
    let requests: [(String, (inout ProtobufWriter) -> Void)] = [
      ("LogSettings", { $0.entry(1, "log_color") { $0.element(1, 1) } }),
      ("LogSettings", { $0.entry(1, "log_info") { $0.element(3, "yes") } }),
      ("LogSettings", { $0.entry(1, "log_file") { $0.element(3, "/tmp/log") } }),
      ("LogSettings", { request in for _ in 0..<33 { request.entry(1, "log_info") { _ in } } }),
      ("TraceSetting", { $0.entry(1, "trace_rate") { $0.element(1, "many") } }),
      ("TraceSetting", { $0.entry(1, "trace_file") { $0.element(1, "/tmp/trace") } }),
      ("TraceSetting", { $0.bytes(1, [0x0A, 0x7F]) }),
    ]
    for (name, request) in requests {
      #expect(ask(name, request).status?.code == .invalidArgument)
    }
    #expect(fixture.replaced.log.withLock { $0 } == ServerSettings.Log())
    #expect(fixture.replaced.trace.withLock { $0 } == ServerSettings.Trace())
  }
}
