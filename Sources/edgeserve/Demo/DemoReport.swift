import Agent

/// What the demonstration came to.
struct DemoReport: Encodable {
  var requests: Int
  var failed: Int
  /// Shares of the test pictures that the first and the second version answered rightly.
  var accuracyBefore: Double
  var accuracyAfter: Double
  /// All that the broker received and sent: both versions up, both down, and what controls them.
  var bytesOnWire: Int
  var budgetBytes: Int
  /// Resident memory of the agent at the end: all of it, and the anonymous part.
  var rssBytes: Int
  var rssAnonBytes: Int
  /// What the ledger holds at the end.
  var chargedBytes: Int
  var seconds: Double

  enum CodingKeys: String, CodingKey {
    case requests, failed, seconds
    case accuracyBefore = "accuracy_before"
    case accuracyAfter = "accuracy_after"
    case bytesOnWire = "bytes_on_wire"
    case budgetBytes = "budget_bytes"
    case rssBytes = "rss_bytes"
    case rssAnonBytes = "rss_anon_bytes"
    case chargedBytes = "charged_bytes"
  }

  /// The same in words.
  var lines: [String] {
    [
      "requests      \(requests), \(failed) failed",
      "accuracy      \(Self.percent(accuracyBefore)) before, \(Self.percent(accuracyAfter)) after",
      "on the wire   \(ByteSize.describe(bytesOnWire)), both versions up and down",
      "memory        budget \(ByteSize.describe(budgetBytes)), charged "
        + "\(ByteSize.describe(chargedBytes)); resident \(ByteSize.describe(rssBytes)), "
        + "\(ByteSize.describe(rssAnonBytes)) of it anonymous",
      "time          \(decimal(seconds, digits: 1)) s",
    ]
  }

  static func percent(_ share: Double) -> String { decimal(share * 100, digits: 1) + " %" }
}
