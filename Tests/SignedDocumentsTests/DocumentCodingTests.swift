import ByteParsing
import Cryptography
import SignedDocuments
import TestSupport
import Testing

/// One kind of document behind one shape, so that each is put through the same tests.
struct DocumentKind: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let encoded: [UInt8]
  /// Decodes the bytes and encodes what came out.
  let recode: @Sendable ([UInt8]) throws(DocumentError) -> [UInt8]

  static let all: [DocumentKind] = [
    DocumentKind(testDescription: "root", encoded: Samples.root().encode()) {
      (bytes) throws(DocumentError) in try RootDocument.decode(bytes).encode()
    },
    DocumentKind(testDescription: "release", encoded: Samples.release.encode()) {
      (bytes) throws(DocumentError) in try ReleaseDocument.decode(bytes).encode()
    },
    DocumentKind(testDescription: "director", encoded: Samples.director.encode()) {
      (bytes) throws(DocumentError) in try DirectorDocument.decode(bytes).encode()
    },
    DocumentKind(testDescription: "command", encoded: Samples.command.encode()) {
      (bytes) throws(DocumentError) in try CommandDocument.decode(bytes).encode()
    },
    DocumentKind(testDescription: "status", encoded: Samples.status.encode()) {
      (bytes) throws(DocumentError) in try StatusDocument.decode(bytes).encode()
    },
    DocumentKind(testDescription: "birth", encoded: Samples.birth.encode()) {
      (bytes) throws(DocumentError) in try BirthDocument.decode(bytes).encode()
    },
    DocumentKind(testDescription: "death", encoded: BirthDocument.death(4).encode()) {
      (bytes) throws(DocumentError) in try BirthDocument.decode(bytes).encode()
    },
  ]

  /// The document with one entry more at its end: an unsigned `key` with the value 0.
  func extended(with key: UInt64) -> [UInt8] {
    var writer = CBORWriter()
    writer.unsigned(key)
    writer.unsigned(0)
    var bytes = encoded + writer.bytes
    // All these maps have fewer than 23 entries, so the first byte is the whole head.
    bytes[0] += 1
    return bytes
  }
}

@Suite("Document coding")
struct DocumentCodingTests {
  @Test("brings every field back")
  func roundTrips() throws {
    #expect(try RootDocument.decode(Samples.root().encode()) == Samples.root())
    #expect(try ReleaseDocument.decode(Samples.release.encode()) == Samples.release)
    #expect(try DirectorDocument.decode(Samples.director.encode()) == Samples.director)
    #expect(try StatusDocument.decode(Samples.status.encode()) == Samples.status)
    #expect(try CommandDocument.decode(Samples.command.encode()) == Samples.command)
    #expect(try BirthDocument.decode(Samples.birth.encode()) == Samples.birth)
    #expect(try BirthDocument.decode(BirthDocument.death(9).encode()) == .death(9))
  }

  @Test("keeps liveness and status small enough for their topics")
  func sizes() {
    #expect(Samples.birth.encode().count <= 40)
    #expect(Samples.status.encode().count <= 300)
    #expect(Samples.director.encode().count <= 250)
  }

  @Test("ignores an unknown key from 128 on and refuses a smaller one", arguments: DocumentKind.all)
  func unknownKeys(kind: DocumentKind) throws {
    // Key 131 is the first that none of them knows.
    #expect(try kind.recode(kind.extended(with: 131)) == kind.encoded)
    let error = #expect(throws: DocumentError.self) { try kind.recode(kind.extended(with: 127)) }
    // A status ends with optional keys, so that 127 is out of order there.
    if kind.testDescription != "status" { #expect(error == .malformed(.unknownKey(127))) }
  }

  @Test("refuses a document that is cut off anywhere", arguments: DocumentKind.all)
  func truncation(kind: DocumentKind) {
    for count in 0..<kind.encoded.count {
      #expect(throws: DocumentError.self) { try kind.recode(Array(kind.encoded.prefix(count))) }
    }
  }

  @Test(
    "holds its ground on 20,000 mutations; what it accepts, it writes so that it reads it again",
    arguments: DocumentKind.all)
  func fuzz(kind: DocumentKind) {
    var random = SplitMix64(seed: 0xD0C)
    var refused = 0
    for _ in 0..<20_000 {
      let input = kind.encoded.mutated(using: &random)
      guard let output = try? kind.recode(input) else {
        refused += 1
        continue
      }
      #expect((try? kind.recode(output)) == output)
    }
    #expect(refused > 5_000)
  }

  @Test("refuses releases whose parts do not fit together")
  func inconsistentReleases() {
    func expect(_ field: DocumentError.Field, _ change: (inout ReleaseDocument) -> Void) {
      var release = Samples.release
      change(&release)
      #expect(throws: DocumentError.invalid(field)) {
        try ReleaseDocument.decode(release.encode())
      }
    }
    expect(.fleet) { $0.fleet = "a/b" }
    expect(.model) { $0.model = "" }
    expect(.fileName) { $0.files[0].name = "../model" }
    expect(.fileName) { $0.files[0].name = ".hidden" }
    expect(.files) { $0.files[1].name = $0.files[0].name }
    expect(.files) { $0.files[1].offset = 4096 }
    expect(.files) { $0.files[1].size += 1 }
    expect(.files) { $0.files = [] }
    expect(.files) { $0.gate.vectorsFile = "other" }
    expect(.objectID) { $0.full.objectID = "short" }
    expect(.blockCount) { $0.rawSize = 5462 << 16 }
  }

  @Test("refuses root documents whose roles do not fit their keys")
  func inconsistentRoots() {
    func expect(_ field: DocumentError.Field, _ change: (inout RootDocument) -> Void) {
      var root = Samples.root()
      change(&root)
      #expect(throws: DocumentError.invalid(field)) { try RootDocument.decode(root.encode()) }
    }
    expect(.keys) { $0.keys.append($0.keys[0]) }
    expect(.roles) { $0.roles[.release]?.keyIdentifiers = [[0, 0, 0, 0, 0, 0, 0, 0]] }
    expect(.roles) { root in
      let once = root.roles[.root]?.keyIdentifiers ?? []
      root.roles[.root]?.keyIdentifiers = once + once
    }
    expect(.threshold) { $0.roles[.director]?.threshold = 2 }
  }
}
