import Cryptography
import SignedDocuments

/// A signed document as JSON; one of the three parts is there.
struct ShownDocument: Encodable {
  /// The role, and the keys that are said to have signed.
  var role: String
  var signedBy: [String]
  var root: ShownRoot?
  var release: ShownRelease?
  var director: ShownDirector?
  /// Signed by the director's keys too.
  var command: ShownCommand?

  enum CodingKeys: String, CodingKey {
    case role, root, release, director, command
    case signedBy = "signed_by"
  }

  init(_ message: SignedMessage) throws(DocumentError) {
    role = message.role.rawValue
    signedBy = message.signatures.map { hexadecimal($0.keyIdentifier) }
    switch message.role {
    case .root: root = ShownRoot(try RootDocument.decode(message.payload))
    case .release: release = ShownRelease(try ReleaseDocument.decode(message.payload))
    case .director:
      if let document = try? CommandDocument.decode(message.payload) {
        command = ShownCommand(document)
      } else {
        director = ShownDirector(try DirectorDocument.decode(message.payload))
      }
    }
  }
}

/// A root document as JSON.
struct ShownRoot: Encodable {
  var fleet: String
  var version: Int64
  var expires: String
  var keys: [String: String]
  var roles: [String: ShownRole]

  /// The keys of a role as JSON.
  struct ShownRole: Encodable {
    var keys: [String]
    var threshold: Int
  }

  init(_ document: RootDocument) {
    fleet = document.fleet
    version = document.version
    expires = shownTime(document.expires)
    keys = Dictionary(
      uniqueKeysWithValues: document.keys.map {
        (hexadecimal($0.identifier), hexadecimal($0.bytes))
      })
    roles = Dictionary(
      uniqueKeysWithValues: document.roles.map { role, keys in
        (
          role.rawValue,
          ShownRole(keys: keys.keyIdentifiers.map { hexadecimal($0) }, threshold: keys.threshold)
        )
      })
  }
}

/// A release document as JSON.
struct ShownRelease: Encodable {
  var fleet: String
  var model: String
  var version: Int64
  var created: String
  var expires: String
  var rawBytes: Int64
  var blockBytes: Int
  var blocks: Int
  var object: String
  var encodedBytes: Int64
  var bundleSHA256: String
  var peakBytes: Int64
  var securityFloor: Int64
  var files: [ShownFile]

  enum CodingKeys: String, CodingKey {
    case fleet, model, version, created, expires, blocks, object, files
    case rawBytes = "raw_bytes"
    case blockBytes = "block_bytes"
    case encodedBytes = "encoded_bytes"
    case bundleSHA256 = "bundle_sha256"
    case peakBytes = "peak_bytes"
    case securityFloor = "security_floor"
  }

  /// A file of the bundle as JSON.
  struct ShownFile: Encodable {
    var name: String
    var offset: Int64
    var size: Int64
    var sha256: String
  }

  init(_ document: ReleaseDocument) {
    fleet = document.fleet
    model = document.model
    version = document.sequence
    created = shownTime(document.created)
    expires = shownTime(document.expires)
    rawBytes = document.rawSize
    blockBytes = document.blockSize
    blocks = document.blockCount
    object = document.full.objectID
    encodedBytes = document.full.encodedBytes
    bundleSHA256 = document.bundleSHA256.hex
    peakBytes = document.needs.peakBytes
    securityFloor = document.securityFloor
    files = document.files.map {
      ShownFile(name: $0.name, offset: $0.offset, size: $0.size, sha256: $0.sha256.hex)
    }
  }
}

/// A director document as JSON.
struct ShownDirector: Encodable {
  var fleet: String
  var model: String
  var rootVersion: Int64
  var sequence: Int64
  var issued: String
  var expires: String
  var target: ShownReference
  var fallback: ShownReference?
  var cohort: [String]
  /// Hundredths of a percent.
  var percent: Int64
  var spreadSeconds: Int64
  var isPaused: Bool
  var floor: Int64
  var allowsDown: Bool
  var meteredMaximum: Int64?

  enum CodingKeys: String, CodingKey {
    case fleet, model, sequence, issued, expires, target, fallback, cohort, floor
    case rootVersion = "root_version"
    case percent = "basis_points"
    case spreadSeconds = "spread_seconds"
    case isPaused = "paused"
    case allowsDown = "allow_down"
    case meteredMaximum = "metered_maximum"
  }

  /// A release that a director names, as JSON.
  struct ShownReference: Encodable {
    var version: Int64
    var releaseSHA256: String

    enum CodingKeys: String, CodingKey {
      case version
      case releaseSHA256 = "release_sha256"
    }

    init(_ reference: DirectorDocument.Reference) {
      version = reference.sequence
      releaseSHA256 = reference.manifestSHA256.hex
    }
  }

  init(_ document: DirectorDocument) {
    fleet = document.fleet
    model = document.model
    rootVersion = document.rootVersion
    sequence = document.sequence
    issued = shownTime(document.issued)
    expires = shownTime(document.expires)
    target = ShownReference(document.target)
    fallback = document.fallback.map { ShownReference($0) }
    cohort = document.cohortLabels
    percent = document.percent
    spreadSeconds = document.spreadSeconds
    isPaused = document.isPaused
    floor = document.floor
    allowsDown = document.allowsDown
    meteredMaximum = document.meteredBytes
  }
}

/// A command to one device as JSON.
struct ShownCommand: Encodable {
  var fleet: String
  var device: String
  var rootVersion: Int64
  var sequence: Int64
  var issued: String
  var expires: String
  /// The version of each model that is pinned; null for the one that serves.
  var pins: [String: Int64?]
  /// Until when nothing is installed; left out when something may be.
  var heldUntil: String?

  enum CodingKeys: String, CodingKey {
    case fleet, device, sequence, issued, expires, pins
    case heldUntil = "held_until"
    case rootVersion = "root_version"
  }

  init(_ document: CommandDocument) {
    fleet = document.fleet
    device = document.device
    rootVersion = document.rootVersion
    sequence = document.sequence
    issued = shownTime(document.issued)
    expires = shownTime(document.expires)
    pins = Dictionary(
      uniqueKeysWithValues: document.pins.map { ($0.model, $0.target?.sequence) })
    heldUntil = document.hold.map { $0 == 0 ? "it is let go" : shownTime($0) }
  }
}

/// A time in a document as JSON.
private func shownTime(_ seconds: Int64) -> String {
  UTCTime.text(seconds: Int(seconds), milliseconds: 0)
}
