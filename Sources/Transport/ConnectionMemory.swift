/// Pays for what the connections of a server hold; asked on the event-loop thread before it is held.
package protocol ConnectionMemory: Sendable {
  /// Takes `bytes`, or nothing and gives false.
  func take(_ bytes: Int) -> Bool
  /// Gives back what was taken.
  func giveBack(_ bytes: Int)
}

/// What one connection has taken: a fixed part while it is open, and a part for the request under
/// way.
struct ConnectionAllowance {
  private let memory: (any ConnectionMemory)?
  private let limits: HTTPLimits
  private var isOpen = false
  private var requestBytes = 0
  /// Bytes of the body that `requestBytes` pays for.
  private(set) var bodyBytes = 0

  init(_ limits: HTTPLimits) {
    self.limits = limits
    memory = limits.memory
  }

  mutating func open() -> Bool {
    guard let memory else { return true }
    isOpen = memory.take(limits.connectionBytes)
    return isOpen
  }

  /// Whether a body of `count` bytes is paid for, with what is made of it.
  ///
  /// - Parameter bound: what is known of the request; nil while its body is small.
  mutating func cover(body count: Int, _ bound: BodyBound?) -> Bool {
    // Small bodies are part of what an open connection holds.
    guard let memory, count > max(bodyBytes, limits.connectionBytes / limits.bodyCopies) else {
      return true
    }
    // Bodies of unknown length grow in steps, so that the pool is not asked for each read.
    let most = max(count, bound?.bytesMaximum ?? limits.bodyBytesMaximum)
    let wanted = min(max(count, bodyBytes * 2), most)
    let made = bound?.made(of: wanted) ?? wanted * (limits.bodyCopies - 1)
    let (sum, overflow) = wanted.addingReportingOverflow(made)
    let bytes = max(sum, requestBytes)
    guard !overflow, memory.take(bytes - requestBytes) else { return false }
    requestBytes = bytes
    bodyBytes = wanted
    return true
  }

  /// The request was answered, or given up.
  mutating func endRequest() {
    if requestBytes > 0 { memory?.giveBack(requestBytes) }
    requestBytes = 0
    bodyBytes = 0
  }

  mutating func close() {
    endRequest()
    if isOpen { memory?.giveBack(limits.connectionBytes) }
    isOpen = false
  }
}
