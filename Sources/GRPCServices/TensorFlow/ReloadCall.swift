import ByteParsing
import GRPC
import Serving
import TensorFlowServing

extension TensorFlowMethods {
  /// `HandleReloadConfigRequest`: the models to serve from now on, all of them or no change at all.
  ///
  /// Unlike TensorFlow Serving's, the reply comes when every version that is asked for serves and
  /// every label points at its own.
  func reload(_ call: GRPCCall, _ reply: @escaping @Sendable (GRPCReply) -> Void) {
    do {
      try administration.check(call)
      administration.replace(try Self.configuration(call.message)) { refusal in
        // The response's status is that of the call, once more.
        reply(refusal.map { .failure($0) } ?? .message { $0.message(1) { _ in } })
      }
    } catch let error as ModelConfigError {
      reply(.failure(GRPCStatus(.invalidArgument, error.sentence)))
    } catch {
      reply(.failure(tensorFlowStatus(error, ModelSpec())))
    }
  }

  /// The `ModelServerConfig` of a `ReloadConfigRequest`.
  static func configuration(_ message: [UInt8]) throws -> ModelServerConfig {
    var config: ModelServerConfig?
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      guard field.number == 1 else {
        try reader.skip(field)
        continue
      }
      var outer = try reader.message(field)
      config = config ?? ModelServerConfig()
      while let field = try outer.next() {
        switch field.number {
        case 1:
          var list = try outer.message(field)
          while let field = try list.next() {
            guard field.number == 1 else {
              try list.skip(field)
              continue
            }
            try config?.append(try model(try list.message(field)))
          }
        case 2: throw GRPCStatus(.invalidArgument, "custom_model_config is not supported.")
        default: try outer.skip(field)
        }
      }
    }
    guard let config, !config.models.isEmpty else {
      throw GRPCStatus(.invalidArgument, "The request names no model.")
    }
    return config
  }

  private static func model(_ start: ProtobufReader) throws -> ModelServerConfig.Model {
    var reader = start
    var model = ModelServerConfig.Model()
    while let field = try reader.next() {
      switch field.number {
      case 1: model.name = try reader.text(field)
      case 2: model.basePath = try reader.text(field)
      case 4: model.platform = try reader.text(field)
      case 6: throw GRPCStatus(.invalidArgument, "logging_config is not supported.")
      case 7: model.policy = try policy(try reader.message(field))
      case 8:
        let (label, version) = try label(try reader.message(field))
        model.labels[label] = version
        guard model.labels.count <= VersionPolicy.versionsMaximum else {
          throw ProtobufError.tooManyElements(field: 8, limit: VersionPolicy.versionsMaximum)
        }
      default: try reader.skip(field)
      }
    }
    return model
  }

  private static func policy(_ start: ProtobufReader) throws(ProtobufError) -> VersionPolicy {
    var reader = start
    var policy = VersionPolicy.latest(1)
    while let field = try reader.next() {
      switch field.number {
      case 100:
        var latest = try reader.message(field)
        var count: UInt64 = 1
        while let field = try latest.next() {
          if field.number == 1 { count = try latest.integer(field) } else { try latest.skip(field) }
        }
        policy = .latest(Int(clamping: count))
      case 101:
        try reader.skip(field)
        policy = .all
      case 102:
        var specific = try reader.message(field)
        var versions: [Int64] = []
        while let field = try specific.next() {
          guard field.number == 1 else {
            try specific.skip(field)
            continue
          }
          try specific.integers(field) { version throws(ProtobufError) in
            guard versions.count < VersionPolicy.versionsMaximum else {
              throw .tooManyElements(field: 1, limit: VersionPolicy.versionsMaximum)
            }
            versions.append(Int64(bitPattern: version))
          }
        }
        policy = .specific(versions)
      default: try reader.skip(field)
      }
    }
    return policy
  }

  private static func label(_ start: ProtobufReader) throws(ProtobufError) -> (String, Int64) {
    var reader = start
    var label = ""
    var version: Int64 = 0
    while let field = try reader.next() {
      switch field.number {
      case 1: label = try reader.text(field)
      case 2: version = try reader.int64(field)
      default: try reader.skip(field)
      }
    }
    return (label, version)
  }
}
