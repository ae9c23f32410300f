internal import NIOHTTP1

/// Header fields of a request; names compare without regard to case.
package struct HTTPFields: Sendable {
  var headers: HTTPHeaders

  init(_ headers: HTTPHeaders) { self.headers = headers }

  package init(_ fields: [(String, String)]) { headers = HTTPHeaders(fields) }

  package var count: Int { headers.count }

  /// The value of the first field called `name`; nil when there is none.
  package func first(_ name: String) -> String? { headers.first(name: name) }

  /// Hands over the name and value of each field in the order received.
  package func forEach<E>(_ body: (String, String) throws(E) -> Void) throws(E) {
    for (name, value) in headers { try body(name, value) }
  }

  /// Every field in the order received.
  package var all: [(String, String)] { headers.map { ($0.name, $0.value) } }
}
