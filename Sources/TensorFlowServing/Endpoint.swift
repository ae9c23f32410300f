package import Serving
internal import Transport

/// What a path of TensorFlow Serving's REST interface names.
package enum Endpoint: Equatable {
  /// The typed calls on a model.
  package enum Call: String, Sendable {
    case predict, classify, regress
  }

  case call(Call, model: String, VersionSelector)
  case status(model: String, VersionSelector)
  case metadata(model: String, VersionSelector)
  /// Below `/v1/`, but none of the interface's.
  case malformed

  /// Whether a path lies below `/v1/`; fixed words match in any case.
  package static func owns(_ path: String) -> Bool {
    let prefix = path.utf8.prefix(4)
    return prefix.elementsEqual("/v1/".utf8) || prefix.elementsEqual("/V1/".utf8)
  }

  /// Reads the method and path of a request below `/v1/`.
  package init(method: String, path: String) {
    self = Self.parse(method: method, path: path) ?? .malformed
  }

  /// The model that a request sends tensors to; nil when it sends none.
  package static func target(method: String, path: String) -> String? {
    guard owns(path), case .call(_, let model, _) = Endpoint(method: method, path: path) else {
      return nil
    }
    return model
  }

  private static func parse(method: String, path: String) -> Endpoint? {
    var segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst(2)
    guard segments.popFirst()?.lowercased() == "models" else { return nil }
    return switch method {
    case "POST": parseCall(segments)
    case "GET", "HEAD": parseQuery(segments)
    default: nil
    }
  }

  /// `m:predict`, `m/versions/3:predict`, `m/labels/stable:predict`.
  private static func parseCall(_ segments: ArraySlice<Substring>) -> Endpoint? {
    guard let last = segments.last, let colon = last.lastIndex(of: ":"),
      let call = Call(rawValue: last[last.index(after: colon)...].lowercased())
    else { return nil }
    var segments = Array(segments)
    segments[segments.count - 1] = last[..<colon]
    guard let (model, selector, rest) = parseModel(segments[...]), rest.isEmpty else { return nil }
    return .call(call, model: model, selector)
  }

  private static func parseQuery(_ segments: ArraySlice<Substring>) -> Endpoint? {
    guard let (model, selector, rest) = parseModel(segments) else { return nil }
    if rest.isEmpty { return .status(model: model, selector) }
    guard rest.count == 1, rest.first?.lowercased() == "metadata" else { return nil }
    return .metadata(model: model, selector)
  }

  private static func parseModel(
    _ segments: ArraySlice<Substring>
  ) -> (model: String, selector: VersionSelector, rest: ArraySlice<Substring>)? {
    guard let first = segments.first, let model = name(first) else { return nil }
    let rest = segments.dropFirst()
    guard let second = rest.dropFirst().first else { return (model, .latest, rest) }
    switch rest.first?.lowercased() {
    case "versions":
      guard second.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let version = Int64(second) else {
        return nil
      }
      return (model, .version(version), rest.dropFirst(2))
    case "labels":
      guard let label = name(second) else { return nil }
      return (model, .label(label), rest.dropFirst(2))
    default: return nil
    }
  }

  /// A percent-decoded model name or label; nil when it is empty or holds a colon.
  private static func name(_ segment: Substring) -> String? {
    guard !segment.isEmpty, !segment.utf8.contains(UInt8(ascii: ":")) else { return nil }
    return percentDecoded(segment)
  }
}
