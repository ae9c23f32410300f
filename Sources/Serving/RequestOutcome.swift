/// How an admitted request ended; one counter each.
package enum RequestOutcome: String, Sendable, CaseIterable {
  case ok, invalid, deadline, cancelled
  case queueFull = "queue_full"
  case notReady = "not_ready"
  case overMemory = "over_memory"
  case shuttingDown = "shutting_down"

  /// The counter that `error` adds to.
  package init(_ error: ServingError) {
    self =
      switch error {
      case .modelNotFound, .versionNotFound, .labelNotFound, .missingInput, .unknownInput,
        .duplicateInput, .unknownOutput, .wrongDataType, .wrongShape, .wrongByteCount,
        .batchMismatch, .batchTooLarge, .invalidTerm,
        .elementNotAdmitted, .elementRefused, .valuesRefused, .inputUnreadable:
        .invalid
      case .notReady, .misfit: .notReady
      case .queueFull: .queueFull
      case .deadlineExceeded: .deadline
      case .cancelled: .cancelled
      case .overMemory: .overMemory
      case .shuttingDown: .shuttingDown
      }
  }
}
