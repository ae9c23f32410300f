import JSONDocuments
import Serving
import Synchronization
import Transport

/// Apps: connections that ask for one test picture after the other, without a pause, until stopped.
final class DemoTraffic: Sendable {
  /// What came back.
  struct Tally: Sendable {
    var requests = 0
    var failed = 0
    /// Why the first one failed.
    var firstFailure: String?
    /// By version.
    var answers: [Int64: Answers] = [:]
  }

  /// What one version answered; a picture counts once.
  struct Answers: Sendable {
    private var isAnswered: [Bool]
    private(set) var answered = 0
    private(set) var right = 0

    init(pictures: Int) { isAnswered = Array(repeating: false, count: pictures) }

    mutating func note(_ picture: Int, isRight: Bool) {
      guard !isAnswered[picture] else { return }
      isAnswered[picture] = true
      answered += 1
      if isRight { right += 1 }
    }
  }

  private struct Reply: Decodable {
    struct Output: Decodable { var data: [Int] }
    var model_version: String
    var outputs: [Output]
  }

  private struct State {
    var tally = Tally()
    var isStopping = false
    var next = 0
  }

  private let socket: String
  private let requests: [[UInt8]]
  private let labels: [Int]
  private let state = Mutex(State())
  private let threads: JobThreads

  /// Starts `connections` threads with one connection each.
  init(socket: String, fixtures: DemoFixtures, connections: Int) {
    self.socket = socket
    requests = fixtures.requests
    labels = fixtures.labels
    threads = JobThreads(name: "demo-app", threads: connections, stackBytes: 512 * 1024)
    for _ in 0..<connections { threads.submit { [self] in converse() } }
  }

  var tally: Tally { state.withLock { $0.tally } }

  /// The share of the pictures that `version` answered rightly; nil until it answered each.
  func accuracy(of version: Int64) -> Double? {
    state.withLock { state in
      guard let answers = state.tally.answers[version], answers.answered == labels.count else {
        return nil
      }
      return Double(answers.right) / Double(answers.answered)
    }
  }

  /// Lets the requests under way end.
  func stop() {
    state.withLock { $0.isStopping = true }
    _ = threads.shutdown(until: MonotonicClock.now() + 10_000_000_000)
  }

  private func converse() {
    var client = UnixHTTPClient(path: socket)
    while let picture = nextPicture() {
      let outcome = Result { try ask(&client, picture) }
      state.withLock { state in
        state.tally.requests += 1
        switch outcome {
        case .success((let version, let isRight)):
          state.tally.answers[version, default: Answers(pictures: labels.count)]
            .note(picture, isRight: isRight)
        case .failure(let error):
          state.tally.failed += 1
          state.tally.firstFailure = state.tally.firstFailure ?? "\(error)"
        }
      }
    }
  }

  private func nextPicture() -> Int? {
    state.withLock { state in
      guard !state.isStopping else { return nil }
      defer { state.next = (state.next + 1) % labels.count }
      return state.next
    }
  }

  /// The version that answered, and whether its best class is the label.
  private func ask(_ client: inout UnixHTTPClient, _ picture: Int) throws -> (Int64, Bool) {
    let response = try client.request(
      method: "POST", path: "/v2/models/digits/infer",
      headers: [("Content-Type", "application/json")], body: requests[picture])
    guard response.status == 200 else {
      throw CommandFailure(
        .failure, "status \(response.status): \(String(decoding: response.body, as: UTF8.self))")
    }
    let reply = try JSONDocument.decode(Reply.self, from: response.body)
    guard let version = Int64(reply.model_version), let scores = reply.outputs.first?.data,
      let best = scores.indices.max(by: { scores[$0] < scores[$1] })
    else { throw CommandFailure(.failure, "a reply without a version or scores") }
    return (version, best == labels[picture])
  }
}
