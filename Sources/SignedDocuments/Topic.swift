import Cryptography

/// A topic of the tree `es/1/FLEET/…`.
///
/// All names are tokens, object identifiers have 22 characters, numbers are decimal without leading
/// zeros.
package enum Topic: Sendable, Hashable {
  /// The root document of a version; retained.
  case root(fleet: String, version: Int64)
  /// The director document of a model; retained.
  case director(fleet: String, model: String)
  /// A release document; retained.
  case release(fleet: String, model: String, sequence: Int64)
  /// The index of an object; retained.
  case index(fleet: String, objectID: String)
  /// An encoded block of an object; retained.
  case block(fleet: String, objectID: String, block: Int)
  /// The mark that an object is complete on the broker; retained, written last.
  case seal(fleet: String, objectID: String)
  /// A device's full status; retained.
  case status(fleet: String, device: String)
  /// A device's birth or death; retained, and the device's last will.
  case liveness(fleet: String, device: String)
  /// A signed command to one device; retained.
  case command(fleet: String, device: String)
  /// A device's answer to a command.
  case acknowledgement(fleet: String, device: String)
  /// A device's note that an object is incomplete on the broker.
  case request(fleet: String, device: String)

  private static let prefix = "es/1"

  /// The two hexadecimal digits by which a device's topics are sharded.
  package static func shard(of device: String) -> String {
    hexadecimal(SHA256.hash(Array(device.utf8)).prefix(1))
  }

  /// Shards of devices' topics.
  package static let shardCount = 256

  /// The filters that cover the status and the liveness of the devices of one shard.
  ///
  /// - Precondition: `fleet` is a token, and `shard` is below `shardCount`.
  package static func shardFilters(fleet: String, shard: Int) -> [String] {
    precondition(Token.isValid(fleet) && (0..<shardCount).contains(shard))
    let digits = hexadecimal([UInt8(shard)])
    return ["s", "l"].map { "\(prefix)/\(fleet)/\($0)/\(digits)/+" }
  }

  /// The filter that covers what devices ask of their publisher.
  ///
  /// - Precondition: `fleet` is a token.
  package static func requestFilter(fleet: String) -> String {
    precondition(Token.isValid(fleet))
    return "\(prefix)/\(fleet)/q/+"
  }

  /// The topic as MQTT knows it.
  ///
  /// - Precondition: all names are tokens.
  package var name: String {
    let (fleet, rest) = parts
    precondition(Token.isValid(fleet) && rest.allSatisfy { Token.isValid($0) })
    return ([Topic.prefix, fleet] + rest).joined(separator: "/")
  }

  /// The fleet's name.
  package var fleet: String { parts.fleet }

  private var parts: (fleet: String, rest: [String]) {
    switch self {
    case .root(let fleet, let version): (fleet, ["root", String(version)])
    case .director(let fleet, let model): (fleet, ["dir", model])
    case .release(let fleet, let model, let sequence): (fleet, ["rel", model, String(sequence)])
    case .index(let fleet, let objectID): (fleet, ["o", objectID, "h"])
    case .block(let fleet, let objectID, let block): (fleet, ["o", objectID, String(block)])
    case .seal(let fleet, let objectID): (fleet, ["o", objectID, "z"])
    case .status(let fleet, let device): (fleet, ["s", Topic.shard(of: device), device])
    case .liveness(let fleet, let device): (fleet, ["l", Topic.shard(of: device), device])
    case .command(let fleet, let device): (fleet, ["c", device])
    case .acknowledgement(let fleet, let device): (fleet, ["a", Topic.shard(of: device), device])
    case .request(let fleet, let device): (fleet, ["q", device])
    }
  }

  /// The topic of a name; nil for anything that is not exactly one of the tree.
  package init?(_ name: String) {
    guard name.utf8.count <= 256 else { return nil }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 5, parts[0] == "es", parts[1] == "1",
      parts.dropFirst(2).allSatisfy({ Token.isValid($0) })
    else { return nil }
    let fleet = parts[2]
    switch (parts[3], parts.count) {
    case ("root", 5):
      guard let version = Topic.number(parts[4]), version > 0 else { return nil }
      self = .root(fleet: fleet, version: version)
    case ("dir", 5): self = .director(fleet: fleet, model: parts[4])
    case ("rel", 6):
      guard let sequence = Topic.number(parts[5]), sequence > 0 else { return nil }
      self = .release(fleet: fleet, model: parts[4], sequence: sequence)
    case ("o", 6):
      guard let topic = Topic(fleet: fleet, objectID: parts[4], part: parts[5]) else { return nil }
      self = topic
    case ("c", 5): self = .command(fleet: fleet, device: parts[4])
    case ("q", 5): self = .request(fleet: fleet, device: parts[4])
    case (let kind, 6):
      guard parts[4] == Topic.shard(of: parts[5]) else { return nil }
      switch kind {
      case "s": self = .status(fleet: fleet, device: parts[5])
      case "l": self = .liveness(fleet: fleet, device: parts[5])
      case "a": self = .acknowledgement(fleet: fleet, device: parts[5])
      default: return nil
      }
    default: return nil
    }
  }

  private init?(fleet: String, objectID: String, part: String) {
    guard Token.isObjectID(objectID) else { return nil }
    switch part {
    case "h": self = .index(fleet: fleet, objectID: objectID)
    case "z": self = .seal(fleet: fleet, objectID: objectID)
    default:
      guard let block = Topic.number(part), block < DocumentLimits.blocks else { return nil }
      self = .block(fleet: fleet, objectID: objectID, block: Int(block))
    }
  }

  /// A decimal number without sign or leading zeros.
  private static func number(_ text: String) -> Int64? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      text == "0" || !text.hasPrefix("0")
    else { return nil }
    return Int64(text)
  }
}
