internal import Glibc

let interrupted = EINTR
let wouldBlock = EAGAIN
let brokenPipe = EPIPE
let connectionReset = ECONNRESET

/// Cuts one response with a `Content-Length` out of a growing run of bytes.
struct HTTPResponseReader {
  let headBytesMaximum: Int
  let bodyBytesMaximum: Int
  /// Whether the request was `HEAD`, so that no body follows.
  let isHead: Bool
  private(set) var keepsAlive = true
  private var scanned = 0
  private var head: HTTPResponse?
  private var bodyStart = 0
  private var bodyCount = 0

  init(headBytesMaximum: Int, bodyBytesMaximum: Int, isHead: Bool) {
    self.headBytesMaximum = headBytesMaximum
    self.bodyBytesMaximum = bodyBytesMaximum
    self.isHead = isHead
  }

  /// Takes the response out of `bytes` once it is whole; nil when more bytes are needed.
  mutating func next(_ bytes: inout [UInt8]) throws(TransportError) -> HTTPResponse? {
    while head == nil {
      guard let end = endOfHead(bytes) else {
        guard bytes.count <= headBytesMaximum else { throw .malformedResponse }
        return nil
      }
      try parseHead(String(decoding: bytes[..<end], as: UTF8.self))
      if head?.status == 100 {
        bytes.removeFirst(end + 4)
        head = nil
        scanned = 0
      } else {
        bodyStart = end + 4
      }
    }
    guard bodyCount <= bodyBytesMaximum else { throw .responseTooLarge(limit: bodyBytesMaximum) }
    guard bytes.count - bodyStart >= bodyCount, var response = head else { return nil }
    response.body = Array(bytes[bodyStart..<(bodyStart + bodyCount)])
    bytes.removeFirst(bodyStart + bodyCount)
    return response
  }

  private mutating func endOfHead(_ bytes: [UInt8]) -> Int? {
    while scanned + 4 <= bytes.count {
      if bytes[scanned] == 13, bytes[scanned + 1] == 10, bytes[scanned + 2] == 13,
        bytes[scanned + 3] == 10
      {
        return scanned
      }
      scanned += 1
    }
    return nil
  }

  private mutating func parseHead(_ text: String) throws(TransportError) {
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    let words = lines[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0",
      words[1].count == 3, let status = Int(words[1])
    else { throw .malformedResponse }
    var response = HTTPResponse(status: status)
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { throw .malformedResponse }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      response.headers.append((String(line[..<colon]), String(value)))
    }
    if response.header("connection")?.lowercased() == "close" { keepsAlive = false }
    bodyCount = 0
    if !isHead, let field = response.header("content-length") {
      guard let count = Int(field), count >= 0 else { throw .malformedResponse }
      bodyCount = count
    }
    head = response
  }
}
