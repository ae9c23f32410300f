/// Why buffers cannot be planned.
package enum PlanningError: Error, Equatable {
  /// The buffer asks for fewer than no bytes, or for more than can be addressed.
  case byteCountOutOfRange(buffer: Int, byteCount: Int)
  /// More buffers than are planned, for the time that placing them would take.
  case tooManyBuffers(limit: Int, actual: Int)
  /// A buffer may only share the storage of one at a lower index.
  case sharesLaterBuffer(buffer: Int, other: Int)
}
