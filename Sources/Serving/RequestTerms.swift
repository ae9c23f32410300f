/// How urgent a request is; those of one level are answered in the order they came.
package enum RequestPriority: Int, Sendable, CaseIterable {
  case high, normal, low

  /// By the numbers of the Open Inference Protocol's `schedule_policy`: 1 is the highest, 0 leaves
  /// it to the server.
  package init(number: Int) {
    switch number {
    case 1: self = .high
    case ...2: self = .normal
    default: self = .low
    }
  }
}

/// What a client asks for besides an answer.
package struct RequestTerms: Sendable {
  /// The names of the fields that carry terms, in HTTP and in gRPC's metadata alike.
  package enum Field {
    /// Milliseconds that the client waits for the request to begin.
    package static let timeout = "x-request-timeout-ms"
    /// 1 to 3, the most urgent first; 0 for the usual.
    package static let priority = "x-request-priority"
    /// Whoever shares a key is answered by one version while a canary is tried.
    package static let key = "x-request-key"
    /// The trace that the request is part of.
    package static let trace = "traceparent"
  }

  /// The field or parameter of a request's body that says what `Field.key` does.
  package static let keyParameter = "request_key"

  /// The longest wait that a client may ask for, in milliseconds.
  package static let timeoutMillisecondsMaximum = 86_400_000
  private static let priorityMaximum = 1_000_000

  /// Monotonic nanoseconds by which the request must have begun; nil for no bound.
  package var deadline: UInt64?
  package var priority = RequestPriority.normal
  package private(set) var trace: TraceContext?
  /// A number that is the same for requests that belong together, and else spread evenly.
  package private(set) var affinity: UInt64 = 0
  /// Calls the closure that it is given once, when the client no longer waits; nil when nobody
  /// knows.
  package var whenAbandoned: (@Sendable (@escaping @Sendable () -> Void) -> Void)?

  package init() {}

  /// - Parameter connection: a number of the client's connection, for requests without a key.
  package init(connection: UInt64) {
    affinity = Self.hash(UInt64(0)..<8) { UInt8(truncatingIfNeeded: connection >> ($0 * 8)) }
  }

  /// The same on every machine and after every restart: FNV-1a, its bits then mixed.
  private static func hash<S: Sequence>(_ bytes: S, _ byte: (S.Element) -> UInt8) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for element in bytes { hash = (hash ^ UInt64(byte(element))) &* 0x100_0000_01B3 }
    hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
    return hash ^ hash >> 33
  }

  /// Whether something tells which requests belong with this one, besides its connection.
  package private(set) var hasKey = false

  /// Has whoever shares `key` answered by one version while a canary is tried.
  package mutating func take(key: String) {
    affinity = Self.hash(key.utf8) { $0 }
    hasKey = true
  }

  /// Takes a field of the request in, when it is a term.
  package mutating func take(_ name: String, _ value: String) throws(ServingError) {
    // Most fields are none of these, which their length tells.
    switch name.utf8.count {
    case Field.timeout.utf8.count where name.lowercased() == Field.timeout:
      let milliseconds = try Self.number(
        Field.timeout, value, 1...Self.timeoutMillisecondsMaximum)
      narrow(deadline: MonotonicClock.now() + UInt64(milliseconds) * 1_000_000)
    case Field.priority.utf8.count where name.lowercased() == Field.priority:
      priority = RequestPriority(
        number: try Self.number(Field.priority, value, 0...Self.priorityMaximum))
    case Field.key.utf8.count where name.lowercased() == Field.key:
      take(key: value)
    case Field.trace.utf8.count where name.lowercased() == Field.trace:
      trace = TraceContext(value)
    default: break
    }
  }

  /// Sets the deadline, unless there is an earlier one.
  package mutating func narrow(deadline: UInt64?) {
    guard let deadline else { return }
    self.deadline = min(deadline, self.deadline ?? deadline)
  }

  /// Sets a deadline so many microseconds from now, unless there is an earlier one; rounded up to
  /// milliseconds, so that reading the request takes none of a short one.
  package mutating func narrow(timeoutMicroseconds timeout: Int?) {
    guard let timeout else { return }
    let bounded = min(max(0, timeout), Self.timeoutMillisecondsMaximum * 1000)
    narrow(deadline: MonotonicClock.now() + UInt64((bounded + 999) / 1000) * 1_000_000)
  }

  /// Whether it should have begun by now.
  package var isOverdue: Bool { isOverdue(MonotonicClock.now()) }

  func isOverdue(_ now: UInt64) -> Bool { deadline.map { $0 < now } ?? false }

  private static func number(
    _ name: String, _ value: String, _ range: ClosedRange<Int>
  ) throws(ServingError) -> Int {
    guard let number = Int(value), range.contains(number) else {
      throw .invalidTerm(name: name, value: String(value.prefix(40)), expected: range)
    }
    return number
  }
}

extension ServingLimits {
  /// `terms` with a deadline no later than that of a request which waits from now on.
  func boundWait(_ terms: RequestTerms) -> RequestTerms {
    guard let most = queueMillisecondsMaximum else { return terms }
    var bounded = terms
    bounded.narrow(timeoutMicroseconds: most * 1000)
    return bounded
  }
}
