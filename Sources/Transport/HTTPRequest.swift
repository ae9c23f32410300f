/// One whole HTTP request, its body within the limits of the server.
package struct HTTPRequest: Sendable {
  /// In capitals, as sent: `GET`, `POST`.
  package var method: String
  /// The target up to the first `?`, still percent-encoded.
  package var path: String
  /// What follows the first `?`; nil when there is none.
  package var query: String?
  package var headers: HTTPFields
  package var body: [UInt8]
  /// Who sent it; nil when the system does not tell.
  package var peer: PeerCredentials?
  /// Tells when whoever sent it has gone; nil when nobody looks.
  package var client: ClientWatch?

  package init(
    method: String, path: String, query: String? = nil, headers: HTTPFields = HTTPFields([]),
    body: [UInt8] = [], peer: PeerCredentials? = nil, client: ClientWatch? = nil
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.peer = peer
    self.client = client
  }

  /// Makes a request from a request target, which is cut at its first `?`.
  init(
    method: String, target: String, headers: HTTPFields, peer: PeerCredentials?,
    client: ClientWatch?
  ) {
    if let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) {
      path = String(target[..<mark])
      query = String(target[target.utf8.index(after: mark)...])
    } else {
      path = target
      query = nil
    }
    self.method = method
    self.headers = headers
    self.peer = peer
    self.client = client
    body = []
  }
}
