/// One whole HTTP response; the server adds `Content-Length` and `Connection`.
package struct HTTPResponse: Sendable {
  package var status: Int
  /// Name and value; neither may hold a line break.
  package var headers: [(String, String)]
  package var body: [UInt8]

  package init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A response whose body is a JSON document.
  package static func json(
    _ body: [UInt8], status: Int = 200, headers: [(String, String)] = []
  ) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [("Content-Type", "application/json")] + headers, body: body)
  }

  /// `{"error": message}`, the form of every refusal.
  package static func error(
    _ status: Int, _ message: String, headers: [(String, String)] = []
  ) -> HTTPResponse {
    var body = Array("{\"error\":\"".utf8)
    for byte in message.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        body += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): body += Array("\\n".utf8)
      case UInt8(ascii: "\r"): body += Array("\\r".utf8)
      case UInt8(ascii: "\t"): body += Array("\\t".utf8)
      case 0..<0x20: body += Array("\\u00".utf8) + [hexDigit(byte >> 4), hexDigit(byte & 15)]
      default: body.append(byte)
      }
    }
    body += Array("\"}".utf8)
    return .json(body, status: status, headers: headers)
  }

  /// The value of the first header called `name`, compared without regard to case.
  package func header(_ name: String) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.0.lowercased() == wanted }?.1
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
