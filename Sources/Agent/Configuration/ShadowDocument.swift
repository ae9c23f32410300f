import Serving

/// A shadow as the configuration and the admin socket have it.
struct ShadowDocument: Codable {
  let shadow: Shadow

  private enum Key: String, CodingKey, CaseIterable { case version, percent, tolerance }

  init(_ shadow: Shadow) { self.shadow = shadow }

  init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    let place = decoder.codingPath.map { $0.stringValue + "." }.joined()
    let percent = try values.decode(Double.self, forKey: .percent)
    guard (0...100).contains(percent) else {
      throw AgentError.invalidValue(
        key: place + "percent", value: "\(percent)", expected: "0 to 100")
    }
    let tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance) ?? 0
    guard tolerance >= 0 else {
      throw AgentError.invalidValue(
        key: place + "tolerance", value: "\(tolerance)", expected: "0 or more")
    }
    shadow = Shadow(
      version: try values.decode(Int64.self, forKey: .version),
      share: Int((percent / 100 * Double(Shadow.shareWhole)).rounded()), tolerance: tolerance)
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(shadow.version, forKey: .version)
    try values.encode(Double(shadow.share) * 100 / Double(Shadow.shareWhole), forKey: .percent)
    try values.encode(shadow.tolerance, forKey: .tolerance)
  }
}
