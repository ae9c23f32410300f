internal import Serving
internal import Transport

extension RequestTerms {
  /// The terms in the fields of `request`.
  init(_ request: HTTPRequest) throws(ServingError) {
    self.init(connection: request.client?.connection ?? 0)
    try request.headers.forEach { name, value throws(ServingError) in try take(name, value) }
    if let client = request.client { whenAbandoned = { client.whenGone($0) } }
  }
}
