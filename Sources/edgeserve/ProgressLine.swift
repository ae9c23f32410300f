import Agent
import Glibc

/// Shows on stderr how far long work has come: one line that changes on a terminal, and a line for
/// each tenth elsewhere.
struct ProgressLine {
  private let what: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = ProgressLine.milliseconds()
  private var lastShown: Int64 = 0
  private var lastTenth: Int64 = -1

  /// A line about `what`, a verb in the progressive form.
  init(_ what: String) { self.what = what }

  /// Shows `done` of `total` bytes, if it is time for it.
  mutating func show(_ done: Int64, of total: Int64) {
    let now = ProgressLine.milliseconds()
    if isTerminal {
      guard now - lastShown >= 100 || done == total else { return }
      lastShown = now
      StandardError.write("\r\u{1B}[K" + line(done, total, now - start) + (done == total ? "\n" : ""))
    } else {
      let tenth = total == 0 ? 10 : done * 10 / total
      guard tenth > lastTenth else { return }
      lastTenth = tenth
      StandardError.write(line(done, total, now - start) + "\n")
    }
  }

  private func line(_ done: Int64, _ total: Int64, _ elapsed: Int64) -> String {
    let percent = total == 0 ? 100 : done * 100 / total
    var line = "\(what) \(percent) %, \(ByteSize.describe(Int(done))) of \(ByteSize.describe(Int(total)))"
    guard elapsed > 0, done > 0 else { return line }
    line += ", \(ByteSize.describe(Int(Double(done) * 1000 / Double(elapsed))))/s"
    if done < total {
      let left = Double(elapsed) * Double(total - done) / Double(done) / 1000
      line += ", \(Int64(left.rounded(.up))) s left"
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
