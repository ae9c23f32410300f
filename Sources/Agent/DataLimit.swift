import Glibc

/// The kernel's bound on what this process can hold of its own: a backstop below everything that is
/// charged, for what a library allocates before it can be asked.
///
/// The client library of MQTT allocates a message of any length that a broker announces; beyond the
/// bound that fails, and the connection ends.
package enum DataLimit {
  /// Bounds the process to what it has now, the budget, and room for threads and parsers.
  ///
  /// - Parameter ioThreads: that will do socket I/O.
  /// - Returns: the bound in bytes; nil when there is no budget, or the kernel refuses.
  @discardableResult
  package static func apply(budget: Int?, ioThreads: Int) -> Int? {
    guard let budget, let now = dataBytes() else { return nil }
    let slack = AgentLimits.dataSlackBytes + (ioThreads - 1) * AgentLimits.ioThreadSlackBytes
    let (sum, overflow) = (now + slack).addingReportingOverflow(budget)
    guard !overflow else { return nil }
    var limit = rlimit()
    // Sound: the pointers are to a local variable of the type that the calls take.
    let resource = __rlimit_resource_t(RLIMIT_DATA.rawValue)
    guard unsafe getrlimit(resource, &limit) == 0 else { return nil }
    let bytes = min(rlim_t(sum), limit.rlim_max)
    limit.rlim_cur = bytes
    guard unsafe setrlimit(resource, &limit) == 0 else { return nil }
    return Int(clamping: bytes)
  }

  /// Bytes of private writable memory that the process has mapped, as `RLIMIT_DATA` counts them.
  private static func dataBytes() -> Int? {
    guard let text = try? WholeFile.read("/proc/self/status", maximum: 64 * 1024) else {
      return nil
    }
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let line = String(decoding: line, as: UTF8.self)
      guard line.hasPrefix("VmData:") else { continue }
      return Int(line.filter { $0.isASCII && $0.isNumber }).map { $0 * 1024 }
    }
    return nil
  }
}
