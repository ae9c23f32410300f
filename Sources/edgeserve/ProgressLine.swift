import Agent
import Glibc

/// Shows on stderr how far long work has come: one line that changes on a terminal, and a line for
/// each tenth elsewhere.
struct ProgressLine {
  private let what: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  /// When the first part was done, and how much that was: the rate is counted from there.
  private var start: (milliseconds: Int64, bytes: Int64)?
  private var lastShown: Int64 = 0
  private var lastTenth: Int64 = -1

  /// A line about `what`, a verb in the progressive form.
  init(_ what: String) { self.what = what }

  /// Shows `done` of `total` bytes, if it is time for it.
  mutating func show(_ done: Int64, of total: Int64) {
    let now = ProgressLine.milliseconds()
    let start = start ?? (now, done)
    self.start = start
    let rate = now > start.milliseconds
      ? Double(done - start.bytes) * 1000 / Double(now - start.milliseconds) : 0
    if isTerminal {
      guard now - lastShown >= 100 || done == total else { return }
      lastShown = now
      StandardError.write("\r\u{1B}[K" + line(done, total, rate) + (done == total ? "\n" : ""))
    } else {
      let tenth = total == 0 ? 10 : done * 10 / total
      guard tenth > lastTenth else { return }
      lastTenth = tenth
      StandardError.write(line(done, total, rate) + "\n")
    }
  }

  /// - Parameter rate: bytes a second, 0 when not known yet.
  private func line(_ done: Int64, _ total: Int64, _ rate: Double) -> String {
    let percent = total == 0 ? 100 : done * 100 / total
    var line =
      "\(what) \(percent) %, \(ByteSize.describe(Int(done))) of \(ByteSize.describe(Int(total)))"
    guard rate > 0 else { return line }
    line += ", \(ByteSize.describe(Int(rate)))/s"
    if done < total {
      line += ", \(Int64((Double(total - done) / rate).rounded(.up))) s left"
    }
    return line
  }

  private static func milliseconds() -> Int64 {
    var now = timespec()
    // The pointer is to a local variable of the type that the call fills.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }
}
