import JSONDocuments
import Logging
import Serving

/// The canaries of local models as administrators and their guard left them, kept over restarts.
struct CanaryFile: Sendable {
  /// One model's.
  struct Entry: Codable, Sendable {
    /// What the configuration said then; when it says something else, that counts.
    var configured: CanaryDocument?
    /// What there was; nil when it had been ended.
    var canary: CanaryDocument?
    var reverted: Cause?
  }

  /// Why a canary was taken back.
  struct Cause: Codable, Sendable {
    var code: String
    /// Shares of failures, or microseconds.
    var canary: Double
    var stable: Double

    init(_ cause: CanaryCause) {
      code = cause.code
      switch cause {
      case .errorRate(let canary, let stable): (self.canary, self.stable) = (canary, stable)
      case .latency(let canary, let stable):
        (self.canary, self.stable) = (Double(canary), Double(stable))
      }
    }

    var cause: CanaryCause {
      code == CanaryCause.latency(canary: 0, stable: 0).code
        ? .latency(canary: Self.whole(canary), stable: Self.whole(stable))
        : .errorRate(canary: canary, stable: stable)
    }

    private static func whole(_ number: Double) -> Int { Int(exactly: number.rounded()) ?? 0 }
  }

  private let file: DurableFile

  init(path: String, log: Logger) { file = DurableFile(path: path, log: log) }

  func read() -> [String: Entry] {
    file.read("canaries") { try JSONDocument.decode([String: Entry].self, from: $0) } ?? [:]
  }

  func write(_ entries: [String: Entry]) { file.write("canaries", try? JSONDocument.encode(entries)) }
}
