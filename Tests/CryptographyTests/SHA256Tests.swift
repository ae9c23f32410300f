import Cryptography
import TestSupport
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  /// The examples of FIPS 180-4's validation set.
  @Test(
    "gives the published digests",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func publishedDigests(message: String, digest: String) {
    #expect(SHA256.hash(Array(message.utf8)).hex == digest)
  }

  @Test("gives one digest however the message is cut, and starts anew after it")
  func incremental() {
    let message = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var random = SplitMix64(seed: 1)
    let hasher = SHA256()
    for _ in 0..<3 {
      var rest = message[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 0...5000, using: &random))
        hasher.update(Array(piece))
        rest = rest.dropFirst(piece.count)
      }
      #expect(hasher.finish() == SHA256.hash(message))
    }
  }

  @Test("reads a file to its end, and names the call that failed")
  func file() throws {
    let directory = TemporaryDirectory()
    let text = String(repeating: "0123456789", count: 20_000)
    directory.write("file", text)
    #expect(try SHA256.hash(file: "\(directory.path)/file") == SHA256.hash(Array(text.utf8)))
    #expect(
      throws: CryptographyError.file(path: "\(directory.path)/none", call: .open, errno: 2)
    ) { try SHA256.hash(file: "\(directory.path)/none") }
  }
}

@Suite("Digest")
struct DigestTests {
  @Test("comes back from its bytes and its digits")
  func roundTrip() {
    let digest = SHA256.hash([1, 2, 3])
    #expect(Digest(digest.bytes) == digest)
    #expect(Digest(hex: digest.hex) == digest)
    #expect(digest.prefix(4) == Array(digest.bytes[0..<4]))
  }

  @Test("has 32 bytes, written in 64 lower-case digits")
  func refusals() {
    #expect(Digest([UInt8](repeating: 0, count: 31)) == nil)
    #expect(Digest([UInt8](repeating: 0, count: 33)) == nil)
    #expect(Digest(hex: String(repeating: "A", count: 64)) == nil)
    #expect(Digest(hex: String(repeating: "a", count: 63)) == nil)
  }
}

@Suite("Base64")
struct Base64Tests {
  /// RFC 4648 section 10, without padding.
  @Test(
    "gives the published strings",
    arguments: zip(
      ["", "f", "fo", "foo", "foob", "fooba", "foobar"],
      ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"]))
  func publishedStrings(bytes: String, text: String) {
    #expect(base64URL(Array(bytes.utf8)) == text)
    #expect(base64URLBytes(text) == Array(bytes.utf8))
  }

  @Test("refuses other alphabets, lost characters and stray bits", arguments: ["Zg==", "Z", "Zh", "Zm9+"])
  func refusals(text: String) {
    #expect(base64URLBytes(text) == nil)
  }
}
