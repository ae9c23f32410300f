import Serving
import Transport

/// Bounds requests by what the models that they ask take as inputs, and by the memory budget.
struct RequestBounds: Sendable {
  let service: InferenceService
  /// Bytes of one request, whatever it asks.
  let ceiling: Int
  /// The model that a request with this method and path sends tensors to; nil for none.
  let target: @Sendable (_ method: String, _ path: String) -> String?

  init(
    _ service: InferenceService, budget: Int?,
    target: @escaping @Sendable (_ method: String, _ path: String) -> String?
  ) {
    self.service = service
    self.target = target
    let share = budget.map { max($0 / AgentLimits.bodyShare, AgentLimits.bodyBytesMinimum) }
    ceiling = min(share ?? Int.max, AgentLimits.bodyBytesMaximum)
  }

  /// The bound of a body over HTTP; nil when only small ones are taken.
  func body(_ method: String, _ path: String) -> BodyBound? {
    guard let model = target(method, path) else { return nil }
    switch service.requestBound(of: model) {
    case .unknown:
      return BodyBound(
        bytesMaximum: 0, madePerByte: 1, madeMaximum: 0,
        reason: ", the most that is read for a model that nobody knows: \(model.prefix(64))")
    case .open:
      return BodyBound(
        bytesMaximum: ceiling, madePerByte: HTTPLimits().bodyCopies - 1, madeMaximum: Int.max,
        reason: ", the most for the model \(model), which does not serve yet")
    case .bytes(let bytes):
      let wanted = min(bytes.text, ceiling) + HTTPLimits().bodyBytesMaximum
      let isCut = wanted > ceiling
      let reason = isCut ? " within the memory that a request may take" : ""
      return BodyBound(
        bytesMaximum: min(wanted, ceiling), madePerByte: bytes.tensorsPerByte,
        madeMaximum: bytes.tensors, reason: ", the most for the model \(model)\(reason)")
    }
  }

  /// Bytes of a message that names its model within, so that the largest bound of all models holds.
  func messageBytes() -> Int {
    switch service.requestBound() {
    case .unknown: 0
    case .open: ceiling
    case .bytes(let bytes):
      min(ceiling, min(bytes.message, ceiling) + HTTPLimits().bodyBytesMaximum)
    }
  }
}
