internal import NIOCore

extension ByteBuffer {
  /// Appends a whole response: status line, fields, and the body unless the method was `HEAD`.
  mutating func writeResponse(
    _ response: HTTPResponse, isHead: Bool, keepsAlive: Bool, isOldProtocol: Bool
  ) {
    if response.status == 200 {
      writeStaticString("HTTP/1.1 200 OK\r\n")
    } else {
      writeString("HTTP/1.1 \(response.status) \(reasonPhrase(response.status))\r\n")
    }
    for (name, value) in response.headers {
      writeField(name)
      writeStaticString(": ")
      writeField(value)
      writeStaticString("\r\n")
    }
    if !keepsAlive {
      writeStaticString("Connection: close\r\n")
    } else if isOldProtocol {
      writeStaticString("Connection: keep-alive\r\n")
    }
    writeStaticString("Content-Length: ")
    writeDecimal(response.body.count)
    writeStaticString("\r\n\r\n")
    if !isHead { writeBytes(response.body) }
  }

  /// Appends a name or value without the bytes that would begin another line.
  private mutating func writeField(_ text: String) {
    let isClean = text.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x09 }
    if isClean {
      writeString(text)
    } else {
      writeBytes(text.utf8.filter { $0 >= 0x20 || $0 == 0x09 })
    }
  }

  private mutating func writeDecimal(_ value: Int) {
    var divisor = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      writeInteger(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }
}

/// The words that go with a status; empty for those that the agent never sends.
func reasonPhrase(_ status: Int) -> String {
  switch status {
  case 200: "OK"
  case 204: "No Content"
  case 400: "Bad Request"
  case 401: "Unauthorized"
  case 403: "Forbidden"
  case 404: "Not Found"
  case 405: "Method Not Allowed"
  case 408: "Request Timeout"
  case 409: "Conflict"
  case 413: "Content Too Large"
  case 415: "Unsupported Media Type"
  case 417: "Expectation Failed"
  case 429: "Too Many Requests"
  case 431: "Request Header Fields Too Large"
  case 499: "Client Closed Request"
  case 500: "Internal Server Error"
  case 501: "Not Implemented"
  case 503: "Service Unavailable"
  case 504: "Gateway Timeout"
  default: ""
  }
}
