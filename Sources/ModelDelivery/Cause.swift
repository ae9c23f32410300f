import SignedDocuments

/// Why a delivery does not go on, as status documents tell it.
package enum Cause: String, Sendable, Equatable, CaseIterable {
  /// A document is not signed by the keys of its role, or is no such document.
  case signature
  /// A release's time is over.
  case expired
  /// The director's word, or the root's, has run out: what serves goes on, nothing is installed.
  case stale
  /// A document is older than one seen before, or differs from one of the same number.
  case rollback
  /// This broker's word is older than one that was heard elsewhere: it missed the newer one.
  case sourceBehind = "source-behind"
  /// A command has the device install nothing for now.
  case held
  case wrongFleet = "wrong-fleet"
  /// The device lacks what the release needs.
  case needs
  case overBudget = "over-budget"
  case noSpace = "no-space"
  /// A block's bytes are not the signed ones.
  case blockHash = "block-hash"
  /// An object's index is not the signed one.
  case indexHash = "index-hash"
  /// The broker holds no message for some of the object.
  case truncated
  case modelInvalid = "model-invalid"
  case unsupported
  case gateMismatch = "gate-mismatch"
  case gateLatency = "gate-latency"
  /// A request that was recorded for warm-up cannot be run.
  case warmUp = "warm-up"
  /// The agent grew by more than the release allows while the version served.
  case gateMemory = "gate-memory"
  /// A declared pipeline works with the version that serves, and would not with this one.
  case misfit
  /// Too many requests failed while the version was on trial.
  case errorRate = "error-rate"
  /// The agent ended too often while the version was on trial.
  case crashLoop = "crash-loop"
  /// Less came within the window of time than the slowest link brings.
  case slowTransfer = "slow-transfer"
  /// The smallest object that would do is larger than this link may carry.
  case metered
  /// Another device, or a copy of this one, connects under the same name.
  case duplicateID = "duplicate-id"
  /// Activation was tried as often as it may be.
  case attempts
  case brokerUnreachable = "broker-unreachable"
  /// The broker does not let this device connect: its name, password or certificate is not known.
  case brokerRefused = "broker-refused"
  /// The broker does not let this device read or write a topic that delivery needs.
  case notAuthorized = "not-authorized"
  /// A file call failed for another reason than space.
  case storage
  /// A version could not be read or was not taken up; it is tried again.
  case unreadable
  case shuttingDown = "shutting-down"

  /// Whether the same release may succeed at a later attempt.
  package var isTransient: Bool { self == .unreadable || self == .shuttingDown }

  /// Whether it takes a version back that served.
  var isOfTrial: Bool {
    switch self {
    case .gateMemory, .errorRate, .crashLoop: true
    default: false
    }
  }

  init(_ error: DocumentError) {
    self =
      switch error {
      case .expired(role: .director, _, _), .expired(role: .root, _, _): .stale
      case .expired: .expired
      case .wrongFleet, .wrongModel: .wrongFleet
      case .wrongRelease, .wrongRootVersion: .rollback
      case .tooLarge, .malformed, .wrongHeader, .invalid, .notEnoughSignatures: .signature
      }
  }
}
