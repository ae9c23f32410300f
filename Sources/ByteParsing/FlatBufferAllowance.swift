/// What may still be read out of one FlatBuffer: a bound on memory that does not depend on its
/// offsets.
///
/// Tables of a FlatBuffer may share strings and vectors, so a small file can ask for the same
/// megabyte a thousand times. Every vector and string read is charged here, in bytes; an honest
/// file never comes near the limit. Thread-confined, like the parse that it belongs to.
package final class FlatBufferAllowance {
  /// Reading the whole file this many times over is still honest.
  package static let rereadsMaximum = 4
  /// Granted to any file, however small.
  package static let byteCountMinimum = 1 << 20
  /// The longest vector of anything but bytes.
  package static let elementCountMaximum = 1 << 24

  private var remaining: Int

  package init(fileByteCount: Int) {
    let (bytes, overflow) = fileByteCount.multipliedReportingOverflow(by: Self.rereadsMaximum)
    remaining = overflow ? Int.max : Swift.max(bytes, Self.byteCountMinimum)
  }

  func charge(_ byteCount: Int, at offset: Int) throws(ParsingError) {
    guard byteCount <= remaining else { throw .allowanceSpent(offset: offset) }
    remaining -= byteCount
  }
}
