import Agent
import Glibc
import Logging

/// Writes each entry as one line to stderr: time, level, message, then `key=value` in order of the keys.
struct LineLog: LogHandler {
  /// One for all logs of the process.
  var logLevel: Logger.Level {
    get { LogThreshold.level }
    set { LogThreshold.level = newValue }
  }
  var metadata: Logger.Metadata = [:]
  private let label: String

  init(_ label: String) { self.label = label }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = "\(Self.timestamp()) \(event.level.rawValue) \(event.message)"
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) {
      line += " \(key)=\(Self.quoted("\(value)"))"
    }
    line += "\n"
    // One call, so that lines of several threads do not mix.
    line.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }

  private static func quoted(_ value: String) -> String {
    guard value.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: "\"") }) else {
      return value
    }
    return "\""
      + value.map { $0 == "\"" || $0.isNewline ? "'" : String($0) }.joined() + "\""
  }

  /// UTC to the millisecond.
  private static func timestamp() -> String {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return UTCTime.text(seconds: now.tv_sec, milliseconds: now.tv_nsec / 1_000_000)
  }
}

/// Points in time as RFC 3339 writes them.
enum UTCTime {
  /// - Parameter seconds: since 1970, not negative.
  static func text(seconds: Int, milliseconds: Int) -> String {
    let (year, month, day) = date(days: seconds / 86_400)
    let time = seconds % 86_400
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
      + "T\(padded(time / 3600, 2)):\(padded(time % 3600 / 60, 2)):\(padded(time % 60, 2))"
      + ".\(padded(milliseconds, 3))Z"
  }

  /// The Gregorian date `days` after 1970-01-01, counted in years that begin in March.
  private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let year = yearOfEra + shifted / 146_097 * 400 + (month >= 10 ? 1 : 0)
    return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
