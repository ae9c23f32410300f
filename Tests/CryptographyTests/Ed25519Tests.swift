import Cryptography
import Glibc
import TestSupport
import Testing

@Suite("Ed25519")
struct Ed25519Tests {
  /// RFC 8032 section 7.1: seed, public key, message, signature.
  static let published: [[String]] = [
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ]

  @Test("gives the published keys and signatures", arguments: published)
  func publishedSignatures(row: [String]) throws {
    let bytes = try row.map { try #require(hexadecimalBytes($0)) }
    let key = try PrivateKey(seed: bytes[0])
    #expect(key.publicKey.bytes == bytes[1])
    #expect(try key.sign(bytes[2]) == bytes[3])
    #expect(key.publicKey.verify(bytes[3], of: bytes[2]))
  }

  @Test("refuses every signature with one bit changed, and every other message and key")
  func refusals() throws {
    let key = try PrivateKey(seed: [UInt8](repeating: 7, count: 32))
    let message = Array("a release".utf8)
    let signature = try key.sign(message)
    for bit in 0..<signature.count * 8 {
      var changed = signature
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(!key.publicKey.verify(changed, of: message))
    }
    #expect(!key.publicKey.verify(signature, of: message + [0]))
    #expect(!key.publicKey.verify(Array(signature.dropLast()), of: message))
    #expect(!key.publicKey.verify(signature + [0], of: message))
    #expect(!key.publicKey.verify([], of: message))
    #expect(try !PrivateKey.generate().publicKey.verify(signature, of: message))
  }

  @Test("makes a new key each time")
  func generation() throws {
    #expect(try PrivateKey.generate().publicKey != PrivateKey.generate().publicKey)
    #expect(throws: CryptographyError.wrongKeyByteCount(expected: 32, actual: 31)) {
      try PrivateKey(seed: [UInt8](repeating: 0, count: 31))
    }
  }
}

@Suite("Key files")
struct KeyFileTests {
  @Test("bring keys back, private ones for their owner alone")
  func roundTrip() throws {
    let directory = TemporaryDirectory()
    let key = try PrivateKey.generate()
    let (secret, open) = ("\(directory.path)/key", "\(directory.path)/pub")
    try KeyFile.write(key, role: "release", to: secret)
    try KeyFile.write(key.publicKey, role: "release", to: open)
    let read = try KeyFile.readPrivate(secret)
    #expect(read.role == "release" && read.key.publicKey == key.publicKey)
    #expect(try KeyFile.readPublic(open).key == key.publicKey)
    var status = stat()
    // The path lives through the call.
    _ = unsafe stat(secret, &status)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test("are never overwritten")
  func overwriting() throws {
    let directory = TemporaryDirectory()
    let file = "\(directory.path)/key"
    let key = try PrivateKey.generate()
    try KeyFile.write(key, role: "root", to: file)
    #expect(throws: CryptographyError.keyFileExists(path: file)) {
      try KeyFile.write(key, role: "root", to: file)
    }
  }

  @Test("with a private key that others may read are refused", arguments: [0o640, 0o604, 0o660])
  func exposure(mode: Int) throws {
    let directory = TemporaryDirectory()
    let file = "\(directory.path)/key"
    try KeyFile.write(PrivateKey.generate(), role: "root", to: file)
    // The path lives through the call.
    _ = unsafe chmod(file, mode_t(mode))
    #expect(throws: CryptographyError.keyFileExposed(path: file, mode: UInt32(mode))) {
      try KeyFile.readPrivate(file)
    }
  }

  @Test(
    "that are no key are refused",
    arguments: [
      "", "edgeserve-public-key root\n", "edgeserve-private-key root AAAA\n",
      "edgeserve-public-key root AAAA\n", "edgeserve-public-key root a b\n",
      String(repeating: "x", count: 4096),
    ])
  func malformed(text: String) throws {
    let directory = TemporaryDirectory()
    directory.write("key", text)
    let file = "\(directory.path)/key"
    #expect(throws: CryptographyError.keyFileMalformed(path: file)) {
      try KeyFile.readPublic(file)
    }
  }
}
