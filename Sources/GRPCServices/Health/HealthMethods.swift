import ByteParsing
package import GRPC
package import Serving
import Synchronization

/// Whether the agent serves, as the health protocol of gRPC asks.
///
/// Source: grpc.health.v1.
package struct HealthMethods: Sendable {
  private enum Status: UInt64 {
    case serving = 1
    case notServing = 2
    case serviceUnknown = 3
  }

  /// The services that can be asked for; the empty name is the whole agent.
  private static let services = [
    "", "inference.GRPCInferenceService", "tensorflow.serving.ModelService",
    "tensorflow.serving.PredictionService",
  ]
  /// The names that TensorFlow Serving gives its services here.
  private static let shortNames = ["ModelService", "PredictionService"]

  private let service: InferenceService

  package init(service: InferenceService) { self.service = service }

  /// The methods by their paths.
  package var methods: [String: GRPCMethod] {
    [
      "/grpc.health.v1.Health/Check": GRPCMethod { call, reply in reply(check(call)) },
      "/grpc.health.v1.Health/List": GRPCMethod { _, reply in reply(list()) },
      "/grpc.health.v1.Health/Watch": GRPCMethod { call, reply in reply(watch(call)) },
    ]
  }

  private func check(_ call: GRPCCall) -> GRPCReply {
    do throws(ProtobufError) {
      let name = try Self.serviceName(call.message)
      let status = status(of: name)
      guard status != .serviceUnknown else {
        return .failure(GRPCStatus(.notFound, "unknown service \(name.prefix(200))"))
      }
      return .message { $0.integer(1, status.rawValue) }
    } catch {
      return .failure(GRPCStatus(.invalidArgument, error.sentence))
    }
  }

  private func list() -> GRPCReply {
    .message { reply in
      for name in Self.services {
        reply.entry(1, name) { $0.integer(1, status(of: name).rawValue) }
      }
    }
  }

  private func watch(_ call: GRPCCall) -> GRPCReply {
    do throws(ProtobufError) {
      let name = try Self.serviceName(call.message)
      let last = LastStatus()
      return .news {
        let status = status(of: name)
        guard last.replace(status.rawValue) else { return nil }
        var writer = replyWriter()
        writer.integer(1, status.rawValue)
        return writer.bytes
      }
    } catch {
      return .failure(GRPCStatus(.invalidArgument, error.sentence))
    }
  }

  private func status(of name: String) -> Status {
    guard Self.services.contains(name) || Self.shortNames.contains(name) else {
      return .serviceUnknown
    }
    return service.isReady() ? .serving : .notServing
  }

  private static func serviceName(_ message: [UInt8]) throws(ProtobufError) -> String {
    var reader = ProtobufReader(message)
    var name = ""
    while let field = try reader.next() {
      if field.number == 1 { name = try reader.text(field) } else { try reader.skip(field) }
    }
    return name
  }
}

/// The status that a watcher was told last.
private final class LastStatus: Sendable {
  private let value = Atomic<UInt64>(0)

  /// Whether `status` is news.
  func replace(_ status: UInt64) -> Bool { value.exchange(status, ordering: .relaxed) != status }
}
