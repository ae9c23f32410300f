package import Serving

/// What TensorFlow Serving's `ModelServerConfig` says: the models that are to be served.
///
/// Source: TensorFlow Serving 2.20, `config/model_server_config.proto`.
package struct ModelServerConfig: Sendable, Equatable {
  /// One model of the list.
  package struct Model: Sendable, Equatable {
    package var name = ""
    package var basePath = ""
    /// Empty, or `tensorflow`.
    package var platform = ""
    package var policy = VersionPolicy.latest(1)
    package var labels: [String: Int64] = [:]

    package init() {}
  }

  package private(set) var models: [Model] = []

  /// Models of one list.
  package static let modelsMaximum = 256

  /// Bytes of a document.
  package static let bytesMaximum = 1 << 20

  package init() {}

  /// Reads a file of `--model_config_file`, in the text format of Protocol Buffers.
  package init(text document: [UInt8]) throws(ModelConfigError) {
    for field in try TextMessage(document).fields {
      switch field.name {
      case "model_config_list":
        for field in try field.message(in: "ModelServerConfig").fields {
          guard field.name == "config" else {
            throw field.unknown(in: "ModelConfigList", known: ["config"])
          }
          try append(try Model(field.message(in: "ModelConfigList")), line: field.line)
        }
      case "custom_model_config":
        throw .unsupported(line: field.line, field: field.name)
      default:
        throw field.unknown(in: "ModelServerConfig", known: ["model_config_list"])
      }
    }
  }

  /// Adds a model, checked against those that are there.
  package mutating func append(_ model: Model, line: Int? = nil) throws(ModelConfigError) {
    guard !model.name.isEmpty else { throw .missing(line: line, field: "name") }
    guard !model.basePath.isEmpty else { throw .missing(line: line, field: "base_path") }
    guard model.platform.isEmpty || model.platform == "tensorflow" else {
      throw .platform(model: model.name, platform: model.platform)
    }
    guard !models.contains(where: { $0.name == model.name }) else {
      throw .duplicate(model: model.name)
    }
    guard models.count < Self.modelsMaximum else { throw .tooMany(limit: Self.modelsMaximum) }
    models.append(model)
  }
}

extension ModelServerConfig.Model {
  private static let known = [
    "name", "base_path", "model_platform", "model_type", "model_version_policy", "version_labels",
  ]

  fileprivate init(_ message: TextMessage) throws(ModelConfigError) {
    self.init()
    for field in message.fields {
      switch field.name {
      case "name": name = try field.text(in: "ModelConfig")
      case "base_path": basePath = try field.text(in: "ModelConfig")
      case "model_platform": platform = try field.text(in: "ModelConfig")
      case "model_type":
        // What the platform was before it had a name.
        guard field.value == .word("TENSORFLOW") else {
          throw .kind(line: field.line, field: field.name, expected: "TENSORFLOW")
        }
      case "model_version_policy":
        policy = try Self.policy(field.message(in: "ModelConfig"))
      case "version_labels":
        let (label, version) = try Self.label(field.message(in: "ModelConfig"), field.line)
        labels[label] = version
      case "logging_config": throw .unsupported(line: field.line, field: field.name)
      default: throw field.unknown(in: "ModelConfig", known: Self.known)
      }
    }
  }

  private static func policy(_ message: TextMessage) throws(ModelConfigError) -> VersionPolicy {
    var policy = VersionPolicy.latest(1)
    for field in message.fields {
      let inner = try field.message(in: "ServableVersionPolicy")
      switch field.name {
      case "latest":
        var count: Int64 = 1
        for field in inner.fields {
          guard field.name == "num_versions" else {
            throw field.unknown(in: "Latest", known: ["num_versions"])
          }
          count = try field.number(in: "Latest", least: 1)
        }
        policy = .latest(Int(count))
      case "all":
        if let field = inner.fields.first { throw field.unknown(in: "All", known: []) }
        policy = .all
      case "specific":
        var versions: [Int64] = []
        for field in inner.fields {
          guard field.name == "versions" else {
            throw field.unknown(in: "Specific", known: ["versions"])
          }
          versions.append(try field.number(in: "Specific", least: 1))
        }
        policy = .specific(versions)
      default:
        throw field.unknown(
          in: "ServableVersionPolicy", known: ["latest", "all", "specific"])
      }
    }
    return policy
  }

  private static func label(
    _ message: TextMessage, _ line: Int
  ) throws(ModelConfigError) -> (String, Int64) {
    var label: String?
    var version: Int64?
    for field in message.fields {
      switch field.name {
      case "key": label = try field.text(in: "version_labels")
      case "value": version = try field.number(in: "version_labels", least: 1)
      default: throw field.unknown(in: "version_labels", known: ["key", "value"])
      }
    }
    guard let label else { throw .missing(line: line, field: "version_labels.key") }
    guard let version else { throw .missing(line: line, field: "version_labels.value") }
    return (label, version)
  }
}

extension TextMessage.Field {
  fileprivate func message(in owner: String) throws(ModelConfigError) -> TextMessage {
    guard case .message(let message) = value else {
      throw .kind(line: line, field: "\(owner).\(name)", expected: "a message in '{ }'")
    }
    return message
  }

  fileprivate func text(in owner: String) throws(ModelConfigError) -> String {
    guard case .text(let text) = value else {
      throw .kind(line: line, field: "\(owner).\(name)", expected: "a text in quotes")
    }
    return text
  }

  fileprivate func number(
    in owner: String, least: Int64
  ) throws(ModelConfigError) -> Int64 {
    guard case .number(let number) = value, number >= least else {
      throw .kind(
        line: line, field: "\(owner).\(name)", expected: "a number from \(least) on")
    }
    return number
  }

  fileprivate func unknown(in owner: String, known: [String]) -> ModelConfigError {
    .unknownField(line: line, owner: owner, field: name, known: known)
  }
}
