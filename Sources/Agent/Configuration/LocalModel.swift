package import Serving

/// A model of this device: where its versions lie, and which of them serve.
package struct LocalModel: Sendable, Equatable {
  /// A model file, a bundle, or a directory of versions.
  package var path: String
  package var policy = VersionPolicy.latest(1)
  /// Names for versions, in place of numbers in requests.
  package var labels: [String: Int64] = [:]
  /// A version that gets a share of the requests that name none.
  package var canary: Canary?
  /// A version that a share of the requests is run on too.
  package var shadow: Shadow?
  /// What the numbers of requests must be.
  package var inputRules = InputRules()
  /// Bytes of answers that each version keeps for requests that come again.
  package var cacheBytes = 0
  /// Rows of requests that are run together at most, 1 for none; nil for what the agent says.
  package var batchRowsMaximum: Int?
  /// Requests that are run side by side at most; nil for what the agent says.
  package var instances: Int?
  /// What activations may take whose shapes depend on data; nil for what suits most models.
  package var computedShapesBytes: Int?
  /// Who answers when the model cannot.
  package var fallback = Fallback()

  package init(
    _ path: String, policy: VersionPolicy = .latest(1), labels: [String: Int64] = [:],
    canary: Canary? = nil
  ) {
    self.canary = canary
    self.path = path
    self.policy = policy
    self.labels = labels
  }

  /// Checks what no single value shows.
  func validate(_ name: String) throws(AgentError) {
    let key = "models." + name
    switch policy {
    case .all: break
    case .latest(let count):
      guard (1...VersionPolicy.versionsMaximum).contains(count) else {
        throw .invalidValue(
          key: key + ".versions.latest", value: String(count),
          expected: "1 to \(VersionPolicy.versionsMaximum)")
      }
    case .specific(let versions):
      guard (1...VersionPolicy.versionsMaximum).contains(versions.count),
        Set(versions).count == versions.count, versions.allSatisfy({ $0 > 0 })
      else {
        throw .invalidValue(
          key: key + ".versions", value: "\(versions)",
          expected: "1 to \(VersionPolicy.versionsMaximum) different numbers above zero")
      }
    }
    guard (0...AgentLimits.cacheBytesMaximum).contains(cacheBytes) else {
      throw .invalidValue(
        key: key + ".cache", value: String(cacheBytes),
        expected: "0 to \(AgentLimits.cacheBytesMaximum) bytes")
    }
    if let computedShapesBytes {
      guard (1...AgentLimits.computedShapesBytesMaximum).contains(computedShapesBytes) else {
        throw .invalidValue(
          key: key + ".computed_shapes", value: String(computedShapesBytes),
          expected: "1 to \(AgentLimits.computedShapesBytesMaximum) bytes")
      }
    }
    if let batchRowsMaximum {
      try AgentConfiguration.checkBatchRows(batchRowsMaximum, key: key + ".batch_rows_maximum")
    }
    if let instances {
      try AgentConfiguration.checkInstances(instances, key: key + ".instances")
    }
    guard fallback.models.count <= Fallback.modelsMaximum, !fallback.models.contains(name),
      fallback.models.allSatisfy(ModelName.isValid)
    else {
      throw .invalidValue(
        key: key + ".fallback", value: "\(fallback.models)",
        expected: "at most \(Fallback.modelsMaximum) names of other models")
    }
    if let shadow {
      guard shadow.version > 0, policy.admits(shadow.version), policy.count > 1,
        shadow.version != canary?.version
      else {
        throw .invalidValue(
          key: key + ".shadow.version", value: String(shadow.version),
          expected: "one of several versions that \(key).versions admits, and not the canary")
      }
    }
    if let canary {
      guard canary.version > 0, policy.admits(canary.version), policy.count > 1 else {
        throw .invalidValue(
          key: key + ".canary.version", value: String(canary.version),
          expected: "one of several versions that \(key).versions admits")
      }
    }
    for (label, version) in labels.sorted(by: { $0.key < $1.key }) {
      guard ModelName.isValid(label), Int64(label) == nil else {
        throw .invalidValue(
          key: key + ".labels", value: label,
          expected: "a name of letters, digits, '.', '_' and '-', at most 64, that is no number")
      }
      guard version > 0, policy.admits(version) else {
        throw .invalidValue(
          key: "\(key).labels.\(label)", value: String(version),
          expected: "a version that the policy admits")
      }
    }
  }
}

extension LocalModel: ExpressibleByStringLiteral {
  package init(stringLiteral path: String) { self.init(path) }
}

/// The grammar of names that become parts of URLs, topics and paths.
enum ModelName {
  static func isValid(_ name: String) -> Bool {
    guard (1...64).contains(name.utf8.count), name.utf8.first != UInt8(ascii: ".") else {
      return false
    }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }
}

extension LocalModel: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case path, versions, labels, canary, inputs, cache, fallback, fallback_answer
    case batch_rows_maximum, instances, shadow, computed_shapes
  }

  /// `"/srv/digits"`, or an object with the path.
  package init(from decoder: any Decoder) throws {
    if let path = try? decoder.singleValueContainer().decode(String.self) {
      self.init(path)
      return
    }
    let values = try decoder.strictContainer(keyedBy: Key.self)
    self.init(
      try values.decode(String.self, forKey: .path),
      policy: try values.decodeIfPresent(Versions.self, forKey: .versions)?.policy ?? .latest(1),
      labels: try values.decodeIfPresent([String: Int64].self, forKey: .labels) ?? [:],
      canary: try values.decodeIfPresent(CanaryDocument.self, forKey: .canary)?.canary)
    shadow = try values.decodeIfPresent(ShadowDocument.self, forKey: .shadow)?.shadow
    fallback.models = try values.decodeIfPresent([String].self, forKey: .fallback) ?? []
    fallback.answer = try values.decodeIfPresent([String: [Double]].self, forKey: .fallback_answer)
    inputRules =
      try values.decodeIfPresent(InputRulesDocument.self, forKey: .inputs)?.rules ?? InputRules()
    batchRowsMaximum = try values.decodeIfPresent(Int.self, forKey: .batch_rows_maximum)
    instances = try values.decodeIfPresent(Int.self, forKey: .instances)
    computedShapesBytes =
      try values.decodeIfPresent(ConfigurationFile.Bytes.self, forKey: .computed_shapes)?.count
    cacheBytes =
      try values.decodeIfPresent(ConfigurationFile.Bytes.self, forKey: .cache)?.count ?? 0
  }

  package func encode(to encoder: any Encoder) throws {
    guard self != LocalModel(path) else {
      var value = encoder.singleValueContainer()
      try value.encode(path)
      return
    }
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(path, forKey: .path)
    if policy != .latest(1) { try values.encode(Versions(policy: policy), forKey: .versions) }
    if !labels.isEmpty { try values.encode(labels, forKey: .labels) }
    if let canary { try values.encode(CanaryDocument(canary), forKey: .canary) }
    if let shadow { try values.encode(ShadowDocument(shadow), forKey: .shadow) }
    if inputRules != InputRules() {
      try values.encode(InputRulesDocument(rules: inputRules), forKey: .inputs)
    }
    if !fallback.models.isEmpty { try values.encode(fallback.models, forKey: .fallback) }
    if let answer = fallback.answer { try values.encode(answer, forKey: .fallback_answer) }
    try values.encodeIfPresent(batchRowsMaximum, forKey: .batch_rows_maximum)
    try values.encodeIfPresent(instances, forKey: .instances)
    try values.encodeIfPresent(computedShapesBytes, forKey: .computed_shapes)
    if cacheBytes > 0 { try values.encode(cacheBytes, forKey: .cache) }
  }

  /// `{"finite": true, "minimum": 0, "maximum": 1}`
  private struct InputRulesDocument: Codable {
    var rules: InputRules

    private enum Key: String, CodingKey, CaseIterable { case finite, minimum, maximum }

    init(rules: InputRules) { self.rules = rules }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: Key.self)
      rules = InputRules()
      rules.allowsNonFinite = try values.decodeIfPresent(Bool.self, forKey: .finite) != true
      let minimum = try values.decodeIfPresent(Double.self, forKey: .minimum)
      let maximum = try values.decodeIfPresent(Double.self, forKey: .maximum)
      guard minimum != nil || maximum != nil else { return }
      let (least, greatest) = (minimum ?? -.infinity, maximum ?? .infinity)
      guard least <= greatest else {
        throw AgentError.invalidValue(
          key: decoder.codingPath.map(\.stringValue).joined(separator: ".") + ".minimum",
          value: "\(least)", expected: "at most the maximum, \(greatest)")
      }
      rules.range = least...greatest
    }

    func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: Key.self)
      if !rules.allowsNonFinite { try values.encode(true, forKey: .finite) }
      if let least = rules.range?.lowerBound, least.isFinite {
        try values.encode(least, forKey: .minimum)
      }
      if let greatest = rules.range?.upperBound, greatest.isFinite {
        try values.encode(greatest, forKey: .maximum)
      }
    }
  }

  /// `{"latest": 2}`, `"all"`, or a list of versions.
  private struct Versions: Codable {
    var policy: VersionPolicy

    private enum Key: String, CodingKey, CaseIterable { case latest }

    init(policy: VersionPolicy) { self.policy = policy }

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let word = try? value.decode(String.self) {
        guard word == "all" else {
          throw AgentError.invalidValue(
            key: decoder.codingPath.map(\.stringValue).joined(separator: "."), value: word,
            expected: "\"all\", {\"latest\": N}, or a list of versions")
        }
        policy = .all
      } else if let versions = try? value.decode([Int64].self) {
        policy = .specific(versions)
      } else {
        let values = try decoder.strictContainer(keyedBy: Key.self)
        policy = .latest(try values.decode(Int.self, forKey: .latest))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch policy {
      case .all:
        var value = encoder.singleValueContainer()
        try value.encode("all")
      case .specific(let versions):
        var value = encoder.singleValueContainer()
        try value.encode(versions)
      case .latest(let count):
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(count, forKey: .latest)
      }
    }
  }
}
