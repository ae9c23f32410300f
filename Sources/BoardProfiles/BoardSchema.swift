import JSONDocuments

/// Why a document is no board profile.
package enum BoardError: Error, Equatable {
  /// The document is no JSON, or lacks a key, or has a value of another type; the reader's words.
  case malformed(String)
  case unknownKey(String)
  /// A value that breaks a rule of the schema, and the rule.
  case rule(key: String, String)
}

/// Reads a profile and holds it to every rule of the schema.
package enum BoardSchema {
  /// Kernel tables by architecture, as `edgeserve --version` names them.
  package static let kernels = [
    "aarch64": ["neon", "neon-dotprod"],
    "x86_64": ["baseline", "avx2", "avx-vnni", "avx512-vnni"],
  ]
  static let traits = ["GRPC"]
  static let threadsMaximum = 64
  /// MiB that the program itself takes at most, besides the budget.
  static let programMebibytes = 32
  /// MiB of the longest sync stride.
  static let syncStrideMebibytesMaximum = 64

  package static func read(_ document: [UInt8]) throws(BoardError) -> BoardProfile {
    let profile: BoardProfile
    do {
      let keys = try JSONDocument.decode(Keys.self, from: document)
      if let unknown = keys.unknown { throw BoardError.unknownKey(unknown) }
      profile = try JSONDocument.decode(BoardProfile.self, from: document)
    } catch let error as BoardError {
      throw error
    } catch {
      throw .malformed(String(describing: error))
    }
    try check(profile)
    return profile
  }

  private static func check(_ profile: BoardProfile) throws(BoardError) {
    let (facts, choices) = (profile.facts, profile.choices)
    try require(isName(profile.name), "name", "lower case letters, digits and dashes")
    for alias in profile.aliases {
      try require(isName(alias), "aliases", "lower case letters, digits and dashes")
    }
    try require(!profile.title.isEmpty, "title", "not empty")
    guard let tables = kernels[facts.architecture] else {
      throw .rule(key: "facts.architecture", "aarch64 or x86_64")
    }
    try require(tables.contains(facts.kernels), "facts.kernels", "a table of the architecture")
    try require((1...1024).contains(facts.cores), "facts.cores", "1 to 1024")
    try require(
      !facts.memoryMebibytes.isEmpty && facts.memoryMebibytes == facts.memoryMebibytes.sorted(),
      "facts.memory_mib", "sizes, the smallest first")
    try require(
      facts.parts.allSatisfy { $0.hasPrefix("0x") && Int($0.dropFirst(2), radix: 16) != nil },
      "facts.parts", "numbers such as 0xd03")
    try check(choices, facts)
    let covered = Set(profile.sources.flatMap(\.facts))
    try require(
      profile.sources.allSatisfy { !$0.source.isEmpty }, "sources.source", "not empty")
    let stated = BoardProfile.Facts.CodingKeys.allCases.filter { isStated($0, facts) }
    let stride = BoardProfile.Choices.CodingKeys.syncStrideMebibytes.rawValue
    for key in stated.map(\.rawValue) + [stride] {
      try require(covered.contains(key), "sources", "a source for \(key)")
    }
  }

  private static func check(
    _ choices: BoardProfile.Choices, _ facts: BoardProfile.Facts
  ) throws(BoardError) {
    let cores = facts.cores
    try require(
      (1...min(cores, threadsMaximum)).contains(choices.threads), "choices.threads",
      "1 to the number of cores")
    if let processors = choices.processors {
      try require(
        !processors.isEmpty && processors.allSatisfy { (0..<cores).contains($0) }
          && Set(processors).count == processors.count && choices.threads <= processors.count,
        "choices.processors", "numbers below the number of cores, one for each thread at least")
    }
    try require(choices.budgetMebibytes >= 16, "choices.budget_mib", "16 or more")
    try require(
      choices.serviceMaximumMebibytes >= choices.budgetMebibytes + programMebibytes,
      "choices.service_maximum_mib", "the budget and \(programMebibytes) more")
    try require(
      choices.serviceMaximumMebibytes <= facts.memoryMebibytes[0] / 2,
      "choices.service_maximum_mib", "half of the smallest memory or less")
    try require(choices.dailyWritesMebibytes > 0, "choices.daily_writes_mib", "above zero")
    let stride = choices.syncStrideMebibytes
    try require(
      (1...syncStrideMebibytesMaximum).contains(stride) && stride.nonzeroBitCount == 1,
      "choices.sync_stride_mib", "a power of two, 1 to \(syncStrideMebibytesMaximum)")
    try require(choices.traits.allSatisfy(traits.contains), "choices.traits", "known traits")
  }

  /// Lists that are empty state nothing.
  private static func isStated(
    _ key: BoardProfile.Facts.CodingKeys, _ facts: BoardProfile.Facts
  ) -> Bool {
    switch key {
    case .parts: !facts.parts.isEmpty
    case .compatible: !facts.compatible.isEmpty
    case .systemOnChip: !facts.systemOnChip.isEmpty
    case .modelNames: !facts.modelNames.isEmpty
    case .architecture, .processor, .cores, .kernels, .memoryMebibytes, .storage: true
    }
  }

  private static func require(
    _ holds: Bool, _ key: String, _ rule: String
  ) throws(BoardError) {
    if !holds { throw .rule(key: key, rule) }
  }

  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
  }
}

/// The keys of a document, whatever their values.
private struct Keys: Decodable {
  /// The first key that the schema does not know.
  var unknown: String?

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Inner: Decodable {
    var keys: [String]

    init(from decoder: any Decoder) throws {
      keys = try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue)
    }
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    typealias Profile = BoardProfile
    let known: [String: [String]] = [
      "facts": Profile.Facts.CodingKeys.allCases.map(\.rawValue),
      "choices": Profile.Choices.CodingKeys.allCases.map(\.rawValue),
    ]
    for key in values.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
      let name = key.stringValue
      guard Profile.CodingKeys.allCases.contains(where: { $0.rawValue == name }) else {
        unknown = unknown ?? name
        continue
      }
      guard let inner = known[name] else { continue }
      let stray = try values.decode(Inner.self, forKey: key).keys.sorted().first {
        !inner.contains($0)
      }
      unknown = unknown ?? stray.map { name + "." + $0 }
    }
  }
}
