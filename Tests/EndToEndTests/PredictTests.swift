import ArgumentParser
import Glibc
import KernelDispatch
import KernelInterface
import OpenInference
import Serving
import Synchronization
import TestSupport
import Testing
import Transport

@testable import edgeserve

/// `half_plus_two` on a socket.
private final class HalfPlusTwo {
  let path: String
  private let directory = TemporaryDirectory("predict")
  private let thread = EventLoopThread()
  private let manager = ModelManager(ServingConfiguration(table: .best))
  private let server: UnixHTTPServer

  init() throws {
    path = directory.path + "/data.sock"
    let routes = OpenInference.Routes(service: manager.service)
    server = try UnixHTTPServer(
      at: SocketPlace(path: path, mode: 0o600), thread: thread
    ) { request, respond in
      if !routes.handle(request, respond) { respond(.error(404, "Not Found")) }
    }
    let done = Atomic<Bool>(false)
    manager.load(VersionSource(model: "half", version: 7, path: Fixtures.halfPlusTwoModel)) { _ in
      done.store(true, ordering: .releasing)
    }
    while !done.load(ordering: .acquiring) { sched_yield() }
  }

  deinit {
    server.shutdown(drainMilliseconds: 100)
    thread.shutdown()
    manager.shutdown(drainMilliseconds: 1000)
  }
}

@Suite("predict")
struct PredictTests {
  /// Status and sentence of a command that is to fail.
  private func failure(_ arguments: [String]) -> CommandFailure? {
    do {
      try Predict.parse(arguments).run()
    } catch {
      return error as? CommandFailure
    }
    return nil
  }

  @Test("asks the model for its interface, and tells the answer in words")
  func answers() throws {
    let server = try HalfPlusTwo()
    var client = PredictClient(path: server.path, model: try ModelAddress("half"))
    let interface = try client.interface()
    let input = try PredictInput("[1, 2, 5]", interface)
    let report = try PredictReport(try client.infer([input]), labels: [])
    #expect(report.text.hasPrefix("half version 7\n"))
    #expect(report.text.contains("  2.5 3 4.5\n"))
  }

  @Test("without an input says which ones the model takes")
  func namesInputs() throws {
    let server = try HalfPlusTwo()
    let refusal = try #require(failure(["half", "--socket", server.path]))
    #expect(refusal.status == .badInput)
    #expect(refusal.message.contains("the model takes x (FP32 [-1])"))
  }

  @Test("asks for a version by number")
  func version() throws {
    let server = try HalfPlusTwo()
    try Predict.parse(["half@7", "--input", "[1]", "--socket", server.path]).run()
    let missing = failure(["half@8", "--input", "[1]", "--socket", server.path])
    #expect(missing?.status == .failure)
    #expect(missing?.message == "Request for unknown model: 'half' version 8 is not found")
  }

  @Test(
    "says what is wrong with an input in words",
    arguments: [
      ("[1, 2", "the JSON for input x cannot be used: it ends at byte 5, before it is complete"),
      ("[[1], [2, 3]]", "has 2 elements where others have 1"),
      ("[\"a\"]", "the JSON string at byte 1 is no float32 element"),
      ("missing.npy", "missing.npy cannot be used: No such file or directory"),
    ])
  func wrongInput(input: String, words: String) throws {
    let server = try HalfPlusTwo()
    let failure = try #require(self.failure(["half", "--input", input, "--socket", server.path]))
    #expect(failure.status == .badInput)
    #expect(failure.message.contains(words), "\(failure.message)")
  }

  @Test("tells what to do when no agent answers")
  func unreachable() throws {
    let failure = self.failure(["half", "--input", "[1]", "--socket", "/tmp/edgeserve-none.sock"])
    #expect(failure?.status == .unreachable)
    #expect(failure?.message.contains("Start the agent with `edgeserve run`") == true)
  }

  @Test("--version tells version, commit, compiler, architecture and kernel tables")
  func buildDescription() {
    let text = Build.description
    for part in ["edgeserve 0.", "commit ", "Swift 6.", KernelTable.builtInNames[0]] {
      #expect(text.contains(part))
    }
  }
}
