/// What is known of a family of devices, and what the agent does on one.
package struct BoardProfile: Codable, Sendable, Equatable {
  /// What the makers say; each is covered by one of the sources.
  package struct Facts: Codable, Sendable, Equatable {
    package enum Storage: String, Codable, Sendable {
      case sdCard = "sd-card"
      case emmc, ssd
    }

    /// As `uname -m` says it: `aarch64` or `x86_64`.
    package var architecture: String
    /// For people.
    package var processor: String
    /// The fewest that a device of the family has.
    package var cores: Int
    /// Part numbers of the ARM cores, as `/proc/cpuinfo` shows them.
    package var parts: [String]
    /// The kernel table that the processor is expected to run.
    package var kernels: String
    /// The sizes of memory that are sold, in MiB, the smallest first.
    package var memoryMebibytes: [Int]
    package var storage: Storage
    /// Names of the device tree that only boards of the family have.
    package var compatible: [String]
    /// Names of the device tree that other boards with the same chip have too.
    package var systemOnChip: [String]
    /// How the names of x86 processors of the family begin, or what they contain.
    package var modelNames: [String]

    enum CodingKeys: String, CodingKey, CaseIterable {
      case architecture, processor, cores, parts, kernels, storage, compatible
      case memoryMebibytes = "memory_mib"
      case systemOnChip = "system_on_chip"
      case modelNames = "model_names"
    }
  }

  /// What the project decided for the family.
  package struct Choices: Codable, Sendable, Equatable {
    /// Compute threads.
    package var threads: Int
    /// The processors that the agent runs on, where some are better; nil for all.
    package var processors: [Int]?
    /// MiB that models, connections, requests and deliveries may take together.
    package var budgetMebibytes: Int
    /// MiB that the service may take: the budget, the program, and pages of files.
    package var serviceMaximumMebibytes: Int
    /// MiB that the agent may write to the storage on an ordinary day.
    package var dailyWritesMebibytes: Int
    /// MiB of a version that is fetched after which what was written is made durable: whole erase
    /// blocks of the storage. One of the sources says where the number is from.
    package var syncStrideMebibytes: Int
    /// Traits of the package that a build for the board brings.
    package var traits: [String]

    enum CodingKeys: String, CodingKey, CaseIterable {
      case threads, processors, traits
      case budgetMebibytes = "budget_mib"
      case serviceMaximumMebibytes = "service_maximum_mib"
      case dailyWritesMebibytes = "daily_writes_mib"
      case syncStrideMebibytes = "sync_stride_mib"
    }

    package func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(threads, forKey: .threads)
      try values.encode(processors, forKey: .processors)
      try values.encode(budgetMebibytes, forKey: .budgetMebibytes)
      try values.encode(serviceMaximumMebibytes, forKey: .serviceMaximumMebibytes)
      try values.encode(dailyWritesMebibytes, forKey: .dailyWritesMebibytes)
      try values.encode(syncStrideMebibytes, forKey: .syncStrideMebibytes)
      try values.encode(traits, forKey: .traits)
    }
  }

  /// Where facts are from.
  package struct Source: Codable, Sendable, Equatable {
    /// Keys of the facts, and `sync_stride_mib`.
    package var facts: [String]
    package var source: String
  }

  package var name: String
  package var title: String
  /// Other names that it answers to.
  package var aliases: [String]
  package var facts: Facts
  package var choices: Choices
  package var sources: [Source]

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, title, aliases, facts, choices, sources
  }

  /// Whether it stands for every machine of its architecture.
  package var isGeneric: Bool { name.hasPrefix("generic-") }

  /// Bytes of the budget.
  package var budgetBytes: Int { choices.budgetMebibytes << 20 }

  /// Bytes of the sync stride.
  package var syncStrideBytes: Int { choices.syncStrideMebibytes << 20 }
}
