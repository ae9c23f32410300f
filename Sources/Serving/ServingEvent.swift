/// What happened to a version; one line of the log each.
package enum ServingEvent: Sendable, Equatable {
  case preparing(model: String, version: Int64)
  /// Two versions do not fit: `leaving` goes before `version` comes.
  case drainFirst(model: String, version: Int64, leaving: Int64)
  case serving(model: String, version: Int64, medianMicroseconds: Int, memory: VersionMemory)
  case refused(model: String, version: Int64, cause: LoadFailure)
  /// After a failed drain-first switch the former version serves again.
  case restored(model: String, version: Int64)
  /// After a failed drain-first switch the former version could not be loaded again either.
  case lost(model: String, version: Int64, cause: LoadFailure)
  /// A version that was tried gets no more of the requests that name none.
  case canaryReverted(model: String, version: Int64, cause: CanaryCause)
  /// Weights can no longer be read from their file: the version is loaded again.
  case weightsDamaged(model: String, version: Int64)
  case retired(model: String, version: Int64)
}
