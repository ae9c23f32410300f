internal import NIOCore
internal import NIOHPACK

/// What the metadata of a call ask for.
struct GRPCRequestHead {
  let path: String
  /// How long the client waits; nil for ever.
  let timeout: TimeAmount?
  /// Whether messages may be compressed by gzip; each says itself whether it is.
  let isCompressed: Bool
  let headers: HPACKHeaders

  /// Why metadata cannot be those of a call.
  enum Refusal: Error {
    /// Not gRPC: answered with a bare HTTP status.
    case http(Int)
    case status(GRPCStatus, headers: [(String, String)] = [])
  }

  init(_ headers: HPACKHeaders) throws(Refusal) {
    var path = ""
    var method = ""
    var contentType = ""
    var timeout: TimeAmount?
    var isCompressed = false
    for (name, value, _) in headers {
      switch name {
      case ":path": path = value
      case ":method": method = value
      case "content-type": contentType = value
      case "grpc-timeout":
        guard let parsed = Self.parse(timeout: value) else {
          throw .status(
            GRPCStatus(
              .invalidArgument,
              "grpc-timeout '\(value.prefix(20))' is no number of up to 8 digits and a unit."))
        }
        timeout = parsed
      case "grpc-encoding" where value == "gzip": isCompressed = true
      case "grpc-encoding" where value != "identity":
        throw .status(
          GRPCStatus(
            .unimplemented, "grpc-encoding '\(value.prefix(20))' is not supported; gzip is."),
          headers: [("grpc-accept-encoding", "identity,gzip")])
      default: break
      }
    }
    guard method == "POST" else { throw .http(405) }
    guard Self.isGRPC(contentType) else { throw .http(415) }
    self.headers = headers
    self.path = path
    self.timeout = timeout
    self.isCompressed = isCompressed
  }

  /// `application/grpc`, with `+proto` or parameters behind it, and no other message format.
  private static func isGRPC(_ contentType: String) -> Bool {
    let name = "application/grpc"
    guard contentType.utf8.starts(with: name.utf8) else { return false }
    let rest = contentType.utf8.dropFirst(name.utf8.count)
    return rest.isEmpty || rest.first == UInt8(ascii: ";") || rest.elementsEqual("+proto".utf8)
      || rest.starts(with: "+proto;".utf8)
  }

  /// Up to eight digits and a unit; nil for anything else.
  static func parse(timeout: String) -> TimeAmount? {
    let digits = timeout.utf8.dropLast()
    guard (1...8).contains(digits.count), digits.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      return nil
    }
    let count = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
    // Eight digits of hours are 11,000 years in nanoseconds: bounded by what 64 bits hold.
    let nanoseconds: Int64
    switch timeout.utf8.last {
    case UInt8(ascii: "H"): nanoseconds = 3_600_000_000_000
    case UInt8(ascii: "M"): nanoseconds = 60_000_000_000
    case UInt8(ascii: "S"): nanoseconds = 1_000_000_000
    case UInt8(ascii: "m"): nanoseconds = 1_000_000
    case UInt8(ascii: "u"): nanoseconds = 1_000
    case UInt8(ascii: "n"): nanoseconds = 1
    default: return nil
    }
    let (product, overflow) = count.multipliedReportingOverflow(by: nanoseconds)
    return .nanoseconds(overflow || product > Self.longest ? Self.longest : product)
  }

  /// A hundred years: a sum with the clock stays within 64 bits.
  private static let longest: Int64 = 100 * 365 * 86_400 * 1_000_000_000
}

/// The metadata that replies carry.
enum GRPCResponseHead {
  /// Before the first message.
  static let initial = HPACKHeaders([
    (":status", "200"), ("content-type", "application/grpc"),
  ])
  /// After the last message of a call that succeeded.
  static let succeeded = HPACKHeaders([("grpc-status", "0")])

  static func http(_ status: Int) -> HPACKHeaders { HPACKHeaders([(":status", "\(status)")]) }

  /// - Parameter isWhole: Whether nothing was sent before: then these are headers too.
  static func failed(
    _ status: GRPCStatus, isWhole: Bool, headers: [(String, String)] = []
  ) -> HPACKHeaders {
    var fields = isWhole ? initial : HPACKHeaders()
    fields.add(name: "grpc-status", value: "\(status.code.rawValue)")
    if !status.message.isEmpty {
      fields.add(
        name: "grpc-message", value: percentEncoded(status.message), indexing: .nonIndexable)
    }
    if let milliseconds = status.retryMilliseconds {
      fields.add(name: "grpc-retry-pushback-ms", value: "\(milliseconds)")
    }
    for (name, value) in headers { fields.add(name: name, value: value) }
    return fields
  }

  /// Printable ASCII as it is, but for `%`; every other byte as `%` and two digits.
  static func percentEncoded(_ message: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in message.utf8 {
      if 0x20...0x7E ~= byte, byte != UInt8(ascii: "%") {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
