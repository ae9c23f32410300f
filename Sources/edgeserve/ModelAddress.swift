/// A model, and which of its versions: `NAME`, `NAME@VERSION` or `NAME:LABEL`.
struct ModelAddress: Equatable {
  var model: String
  /// A version or a label, as the protocol's path takes it; nil for the latest.
  var version: String?

  init(_ text: String) throws {
    let mark = text.lastIndex { $0 == "@" || $0 == ":" }
    guard let mark else {
      model = text
      return
    }
    model = String(text[..<mark])
    let rest = String(text[text.index(after: mark)...])
    let isVersion = text[mark] == "@"
    guard !model.isEmpty, !rest.isEmpty, !isVersion || Int64(rest).map({ $0 > 0 }) == true else {
      throw CommandFailure(
        .badInput, "\"\(text)\" is no model; write NAME, NAME@VERSION or NAME:LABEL")
    }
    version = rest
  }

  /// The path of the model in the Open Inference Protocol.
  var path: String {
    let versions = version.map { "/versions/" + Self.percentEncoded($0) } ?? ""
    return "/v2/models/" + Self.percentEncoded(model) + versions
  }

  private static func percentEncoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let hex = String(byte, radix: 16, uppercase: true)
        encoded += hex.count == 1 ? "%0" + hex : "%" + hex
      }
    }
    return encoded
  }
}
