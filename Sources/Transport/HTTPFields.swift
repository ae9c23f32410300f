internal import NIOHTTP1

/// Header fields of a request; names compare without regard to case.
package struct HTTPFields: Sendable {
  var headers: HTTPHeaders

  init(_ headers: HTTPHeaders) { self.headers = headers }

  package init(_ fields: [(String, String)]) { headers = HTTPHeaders(fields) }

  package var count: Int { headers.count }

  /// The value of the first field called `name`; nil when there is none.
  package func first(_ name: String) -> String? { headers.first(name: name) }

  /// Every field in the order received.
  package var all: [(String, String)] { headers.map { ($0.name, $0.value) } }
}
