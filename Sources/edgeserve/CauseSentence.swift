/// What a cause code means, in one sentence with what to do.
enum CauseSentence {
  static func of(_ code: String) -> String {
    guard let sentence = sentences[code] else { return code + "." }
    return "\(code). \(sentence)"
  }

  /// Every code that has a sentence.
  static var codes: some Sequence<String> { sentences.keys }

  private static let sentences: [String: String] = [
    "signature": "A document's signature does not hold; check which key signed it.",
    "expired": "A document has expired; publish it anew, and check this device's clock.",
    "rollback": "The release is older than one accepted before; publish a higher version.",
    "source-behind": "This broker missed the director's newest word; `edgeserve refresh` tells it.",
    "held": "The device was told to install nothing; `edgeserve release` lets it go.",
    "wrong-fleet": "The document is for another fleet.",
    "needs": "The release needs what this device does not have.",
    "misfit": "A pipeline and a version do not fit each other; see the problem.",
    "over-budget": "It does not fit the memory budget; raise it, or make the model smaller.",
    "storage": "The disk refused a call for another reason than room; look at the log.",
    "shutting-down": "The agent was stopped meanwhile; it is tried again.",
    "no-space": "There is no room on the disk; free some.",
    "block-hash": "A block's bytes are not those that were signed; publish them again.",
    "index-hash": "The block list is not the one that was signed; publish it again.",
    "truncated": "The file ends too early; publish it again.",
    "model-invalid": "The file is no valid model.",
    "unsupported": "The model uses operators that this build cannot run; see `edgeserve inspect`.",
    "unreadable": "The file cannot be read; check its path and permissions.",
    "gate-mismatch": "The golden vectors came out differently on this device.",
    "warm-up": "A request recorded for warm-up does not fit the model; record it anew.",
    "gate-latency": "One inference takes longer here than the release allows.",
    "slow-transfer": "Too little came in ten minutes; the connection was made anew.",
    "metered": "The update is larger than this link may carry; install it from a file.",
    "duplicate-id": "Another device connects under this one's name; give each its own.",
    "gate-memory": "The agent grew by more than the release allows while it served.",
    "error-rate": "Too many requests failed while it was on trial; the version before serves.",
    "crash-loop": "The agent ended too often while it was on trial; the version before serves.",
    "attempts": "It failed too often and is not tried again.",
    "broker-unreachable": "The broker does not answer; check its address and the network.",
    "broker-refused": "The broker does not take this device's name or password; check both.",
    "not-authorized": "The broker's access list keeps a topic from this device; see the log.",
    "stale": "The newest director document is too old; is the fleet machine publishing?",
  ]
}
