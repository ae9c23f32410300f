internal import Synchronization
internal import Tensors

/// What is told of a request that ended: never what it asked, nor what it was answered.
package struct RequestRecord: Sendable {
  /// An input by its name and type.
  package struct Input: Sendable, Equatable {
    package var name: String
    /// As the graph names it.
    package var type: String
    package var extents: [Int]
  }

  package var model: String
  package var version: Int64
  package var outcome: RequestOutcome
  /// When it ended, in milliseconds since 1970.
  package var milliseconds: Int64
  /// From admission until an instance began, or until it was given up.
  package var queueNanoseconds: UInt64
  /// On the instance.
  package var inferNanoseconds: UInt64
  /// As the model declares them, where the request had them too.
  package var inputs: [Input]
  package var rows: Int
  package var trace: TraceContext?
}

/// Picks the requests that somebody is told of: each that fails, and an even share of the others.
package final class RequestSampler: Sendable {
  /// Of ten thousand answered requests.
  private let share: Atomic<Int>
  private let tell: @Sendable (RequestRecord) -> Void
  private let answered = Atomic<UInt64>(0)

  /// The share that is all requests.
  package static let shareWhole = 10_000

  /// - Parameter share: of ten thousand answered requests.
  package init(share: Int, tell: @escaping @Sendable (RequestRecord) -> Void) {
    self.share = Atomic(min(max(0, share), Self.shareWhole))
    self.tell = tell
  }

  /// Of ten thousand answered requests.
  package var shareOfAnswered: Int { share.load(ordering: .relaxed) }

  /// Tells of another share from now on.
  package func setShare(_ share: Int) {
    self.share.store(min(max(0, share), Self.shareWhole), ordering: .relaxed)
  }

  /// Tells of a request, when it is one to tell of.
  func record(_ outcome: RequestOutcome, _ record: () -> RequestRecord) {
    if outcome == .ok {
      let share = UInt64(shareOfAnswered)
      guard share > 0 else { return }
      let number = answered.add(1, ordering: .relaxed).newValue
      let whole = UInt64(Self.shareWhole)
      // The share of the numbers up to this one grew by one.
      guard number &* share / whole != (number &- 1) &* share / whole else { return }
    }
    tell(record())
  }
}

extension RequestRecord {
  init(
    _ request: InferenceRequest, _ description: VersionDescription, _ outcome: RequestOutcome,
    rows: Int, queueNanoseconds: UInt64, inferNanoseconds: UInt64
  ) {
    self.init(
      model: description.model, version: description.version, outcome: outcome,
      milliseconds: WallClock.milliseconds(), queueNanoseconds: queueNanoseconds,
      inferNanoseconds: inferNanoseconds,
      // Names that the model lacks are whatever a client wrote.
      inputs: request.inputs.filter { input in
        description.inputs.contains { $0.name == input.name }
      }.map { Input(name: $0.name, type: "\($0.dataType)", extents: $0.shape.extents) },
      rows: rows, trace: request.terms.trace)
  }
}
