package import Serving
internal import Transport

/// What a path of the Open Inference Protocol V2 names.
package enum Endpoint: Equatable {
  case server
  case live
  case ready
  case model(String, VersionSelector)
  case modelReady(String, VersionSelector)
  case infer(String, VersionSelector)
  /// Of one model, or of all.
  case statistics(String?, VersionSelector)
  case configuration(String, VersionSelector)
  /// Memory that was handed over, all of it or one region.
  case regions(String?)
  /// Where other servers take memory by its name.
  case regionChange
  /// Below `/v2`, but none of the protocol's.
  case unknown

  /// Reads a request path; nil when it does not lie below `/v2`.
  ///
  /// A version that is no number is taken for a label, since the protocol's versions are strings.
  package init?(path: String) {
    guard path.utf8.starts(with: "/v2".utf8),
      path.utf8.count == 3 || path.utf8.dropFirst(3).first == UInt8(ascii: "/")
    else { return nil }
    guard var segments = pathSegments(path) else {
      self = .unknown
      return
    }
    if segments.count > 1, segments.last == "" { segments.removeLast() }
    switch segments.count {
    case 1: self = .server
    case 3 where segments[1] == "health" && segments[2] == "live": self = .live
    case 3 where segments[1] == "health" && segments[2] == "ready": self = .ready
    case 3 where segments[1] == "models" && segments[2] == "stats":
      self = .statistics(nil, .latest)
    case 3... where segments[1] == "systemsharedmemory":
      self = Self.regions(Array(segments.dropFirst(2)))
    default: self = Self.model(segments)
    }
  }

  /// The model that a request sends tensors to; nil when it sends none.
  package static func target(path: String) -> String? {
    guard case .infer(let model, _)? = Endpoint(path: path) else { return nil }
    return model
  }

  private static func regions(_ segments: [String]) -> Endpoint {
    switch (segments.count, segments.last) {
    case (1, "status"): .regions(nil)
    case (3, "status") where segments[0] == "region": .regions(segments[1])
    case (1, "unregister"): .regionChange
    case (3, "register"), (3, "unregister"): segments[0] == "region" ? .regionChange : .unknown
    default: .unknown
    }
  }

  private static func model(_ segments: [String]) -> Endpoint {
    guard segments.count >= 3, segments[1] == "models", segments[2] != "" else { return .unknown }
    let model = segments[2]
    var rest = segments.dropFirst(3)
    var selector = VersionSelector.latest
    if rest.first == "versions" {
      guard let version = rest.dropFirst().first, version != "" else { return .unknown }
      selector = Int64(version).map { .version($0) } ?? .label(version)
      rest = rest.dropFirst(2)
    }
    if rest.isEmpty { return .model(model, selector) }
    guard rest.count == 1 else { return .unknown }
    return switch rest.first {
    case "ready": .modelReady(model, selector)
    case "infer": .infer(model, selector)
    case "stats": .statistics(model, selector)
    case "config": .configuration(model, selector)
    default: .unknown
    }
  }

  /// The methods that the endpoint answers; the first is the one to try.
  var methods: [String] {
    switch self {
    case .server, .live, .ready, .model, .modelReady, .statistics, .configuration, .regions:
      ["GET", "HEAD"]
    case .infer, .regionChange: ["POST"]
    case .unknown: []
    }
  }
}
