import Agent
import KernelInterface
import OpenInference
import Serving
import TensorFlowServing
import Transport

/// Where the agent meets the public protocols.
enum Composition {
  static func parts(table: KernelTable) -> Agent.Parts {
    let kernels = table.name
    var parts = Agent.Parts(
      table: table, version: Build.version, build: Build.identity,
      routes: { service in
        let tensorFlow = TensorFlowServing.Routes(service: service)
        let openInference = OpenInference.Routes(service: service, serverVersion: Build.version)
        return [
          { request, respond in tensorFlow.handle(request, respond) },
          { request, respond in openInference.handle(request, respond) },
        ]
      },
      delivery: { agent, delivery, manager, log in
        try DeliveryDriver(
          agent, delivery, manager: manager, version: Build.version, kernels: kernels, log: log)
      })
    parts.target = { method, path in
      TensorFlowServing.Endpoint.target(method: method, path: path)
        ?? OpenInference.Endpoint.target(path: path)
    }
    #if GRPC
      parts.remoteCalls = { (settings) throws(TransportError) in try openGRPC(settings) }
    #endif
    return parts
  }

  /// Whether this build answers gRPC, which its trait decides.
  static var offersGRPC: Bool {
    #if GRPC
      true
    #else
      false
    #endif
  }
}
