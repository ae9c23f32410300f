import GRPC
import Serving

extension RequestTerms {
  /// The terms of `call`: its deadline, and the metadata that carry others.
  init(_ call: GRPCCall) throws(ServingError) {
    self.init(connection: call.connection)
    narrow(deadline: call.deadline)
    try call.forEachField { name, value throws(ServingError) in try take(name, value) }
    whenAbandoned = { call.whenGone($0) }
  }
}
