import Cryptography
import Publishing
import SignedDocuments

/// How far a root document has come among its holders.
struct RootReport {
  private let signing: RootSigning
  private let file: String

  init(_ signing: RootSigning, file: String) {
    self.signing = signing
    self.file = file
  }

  func print(asJSON json: Bool) throws {
    let document = signing.document
    if json {
      return try printJSON(
        RootDocumentReport(
          fleet: document.fleet, rootVersion: String(document.version), rootFile: file,
          complete: signing.isComplete, signatures: Self.shown(signing.ownCount),
          formerSignatures: signing.formerCount.map(Self.shown)))
    }
    StandardError.line("wrote root document \(document.version) of fleet \(document.fleet) to \(file)")
    guard !signing.isComplete else { return }
    var missing = ["\(Self.text(signing.ownCount)) of its own holders"]
    if let former = signing.formerCount {
      missing.append("\(Self.text(former)) of those who hold the root that devices have")
    }
    StandardError.line(
      "signed by \(missing.joined(separator: ", and by ")); pass it on with edgeserve sign")
  }

  /// Tells a holder what is signed.
  func printChanges() {
    let document = signing.document
    StandardError.line(
      "root document \(document.version) of fleet \(document.fleet), until "
        + UTCTime.text(seconds: Int(document.expires), milliseconds: 0))
    for role in Role.allCases {
      let former = signing.former?.document.keys(of: role)
      let keys = document.keys(of: role).map { key in
        hexadecimal(key.identifier) + (former?.contains(key) == false ? " (new)" : "")
      }
      let gone = former?.filter { !document.keys(of: role).contains($0) } ?? []
      StandardError.line(
        "  \(role.rawValue): \(document.threshold(of: role)) of \(keys.joined(separator: ", "))"
          + (gone.isEmpty
            ? "" : "; no more " + gone.map { hexadecimal($0.identifier) }.joined(separator: ", ")))
    }
  }

  private static func text(_ count: RootSigning.Count) -> String {
    "\(count.valid) of the needed \(count.needed)"
  }

  private static func shown(_ count: RootSigning.Count) -> RootDocumentReport.Count {
    RootDocumentReport.Count(valid: count.valid, needed: count.needed)
  }
}

/// The same as JSON.
private struct RootDocumentReport: Encodable {
  /// Signatures that hold, and how many are needed.
  struct Count: Encodable {
    var valid: Int
    var needed: Int
  }

  var fleet: String
  var rootVersion: String
  var rootFile: String
  var complete: Bool
  var signatures: Count
  var formerSignatures: Count?

  enum CodingKeys: String, CodingKey {
    case fleet, complete, signatures
    case rootVersion = "root_version"
    case rootFile = "root_file"
    case formerSignatures = "former_signatures"
  }
}
