import Glibc

/// Writes to people.
enum StandardError {
  /// Writes `text` as it is.
  static func write(_ text: String) {
    var text = text
    // The pointer and the count are of the same string.
    text.withUTF8 { bytes in _ = unsafe Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }

  /// Writes `text` as a line.
  static func line(_ text: String) { write(text + "\n") }
}
