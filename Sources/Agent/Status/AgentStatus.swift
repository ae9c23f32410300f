/// The status document: how the agent is doing, for people and programs.
///
/// The key of each property is its name in snake case.
package struct AgentStatus: Codable, Sendable, Equatable {
  /// The process.
  package struct Process: Codable, Sendable, Equatable {
    package var version: String
    package var uptimeSeconds: Int
    package var kernels: String
    package var board: String
    package var pid: Int

    enum CodingKeys: String, CodingKey {
      case version, kernels, board, pid
      case uptimeSeconds = "uptime_seconds"
    }
  }

  package enum Health: String, Codable, Sendable {
    /// All as configured.
    case ok
    /// Every model answers, but something needs a look.
    case degraded
    /// Some model does not answer.
    case failing
  }

  /// Bytes of the whole process.
  package struct Memory: Codable, Sendable, Equatable {
    /// Null when no budget is set.
    package var budgetBytes: Int?
    package var chargedBytes: Int
    package var rssBytes: Int
    package var rssAnonBytes: Int

    enum CodingKeys: String, CodingKey {
      case budgetBytes = "budget_bytes"
      case chargedBytes = "charged_bytes"
      case rssBytes = "rss_bytes"
      case rssAnonBytes = "rss_anon_bytes"
    }

    package func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(budgetBytes, forKey: .budgetBytes)
      try values.encode(chargedBytes, forKey: .chargedBytes)
      try values.encode(rssBytes, forKey: .rssBytes)
      try values.encode(rssAnonBytes, forKey: .rssAnonBytes)
    }
  }

  /// One model, its versions from the highest down.
  package struct Model: Codable, Sendable, Equatable {
    package var name: String
    package var versions: [Version]
    /// Left out when no version is tried.
    package var canary: Canary?
    /// Left out when no version follows another.
    package var shadow: Shadow?
    /// Left out of models.
    package var pipeline: Pipeline?
  }

  /// What a pipeline does, and the versions that it was readied for last.
  package struct Pipeline: Codable, Sendable, Equatable {
    package var steps: [String]
    /// As `model@version`; empty until all of them serve.
    package var versions: [String]
  }

  /// A version that a share of the requests is run on too, and how its answers compare.
  package struct Shadow: Codable, Sendable, Equatable {
    package var version: Int64
    package var percent: Double
    package var agreed: UInt64
    package var differed: UInt64
    /// Of those that differ, the ones whose greatest number is another.
    package var changedClass: UInt64
    package var failed: UInt64
    package var shed: UInt64
    /// The most that a number was off.
    package var largestDifference: Double

    enum CodingKeys: String, CodingKey {
      case version, percent, agreed, differed, failed, shed
      case changedClass = "changed_class"
      case largestDifference = "largest_difference"
    }
  }

  /// A version that gets a share of the requests that name none.
  package struct Canary: Codable, Sendable, Equatable {
    package var version: Int64
    package var percent: Double
    /// `running` or `reverted`.
    package var state: String
    /// The code of why it was taken back, and the numbers in words.
    package var cause: String?
    package var detail: String?
  }

  package struct Version: Codable, Sendable, Equatable {
    package var version: Int64
    package var state: String
    package var labels: [String]
    package var requests: UInt64
    package var errors: UInt64
    package var latency: Latency
    package var memory: VersionBytes
    /// The code of what went wrong; left out when nothing did.
    package var cause: String?
    /// Left out of versions that do not serve.
    package var batching: Batching?
    /// Requests that are run side by side at most; left out of versions that do not serve.
    package var instances: Int?
    /// Why these are fewer than were configured; left out when they are not.
    package var instancesRefusal: String?

    enum CodingKeys: String, CodingKey {
      case version, state, labels, requests, errors, memory, cause, batching, instances
      case instancesRefusal = "instances_refusal"
      case latency = "latency_us"
    }
  }

  /// How requests are run together.
  package struct Batching: Codable, Sendable, Equatable {
    /// Rows of one run, the fewest first; empty when requests are not run together.
    package var rows: [Int]
    /// What a run of so many rows took when the version was loaded.
    package var microseconds: [Int]
    /// Why there are no more rows: a code, and the same for people.
    package var refusal: String?
    package var detail: String?

    enum CodingKeys: String, CodingKey {
      case rows, refusal, detail
      case microseconds = "rows_us"
    }
  }

  /// Microseconds.
  package struct Latency: Codable, Sendable, Equatable {
    package var p50: Int
    package var p95: Int
    package var p99: Int
  }

  package struct VersionBytes: Codable, Sendable, Equatable {
    /// Packed weights.
    package var weightsBytes: Int
    /// Those of them that are mapped from a file: clean pages, which the kernel takes back at will. An
    /// agent from before there were such files leaves it out.
    package var weightsFileBytes: Int?
    /// Why there is no file of them: a code; left out where there is one, and when nothing is loaded.
    package var weightsFileRefusal: String?
    /// Activations and kernel scratch.
    package var arenaBytes: Int

    enum CodingKeys: String, CodingKey {
      case weightsBytes = "weights_bytes"
      case weightsFileBytes = "weights_file_bytes"
      case weightsFileRefusal = "weights_file_refusal"
      case arenaBytes = "arena_bytes"
    }
  }

  package var agent: Process
  package var health: Health
  /// In words, the worst first.
  package var problems: [String]
  package var memory: Memory
  package var models: [Model]
  /// Left out when no delivery is configured.
  package var delivery: DeliveryStatus?
}
