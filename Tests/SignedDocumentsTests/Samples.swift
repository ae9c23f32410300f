import Cryptography
import SignedDocuments

/// Documents with every field set.
enum Samples {
  static let now: Int64 = 1_800_000_000

  static func key(_ number: UInt8) -> PrivateKey {
    guard let key = try? PrivateKey(seed: [UInt8](repeating: number, count: 32)) else {
      fatalError("32 bytes are a seed")
    }
    return key
  }

  /// A root document with `keys` for each role, and a threshold for the root role.
  static func root(
    fleet: String = "fleet", version: Int64 = 1, root: [PrivateKey] = [key(1)], threshold: Int = 1
  ) -> RootDocument {
    let others = [key(2).publicKey, key(3).publicKey]
    return RootDocument(
      fleet: fleet, version: version, expires: now + 1000,
      keys: root.map(\.publicKey) + others,
      roles: [
        .root: .init(keyIdentifiers: root.map(\.publicKey.identifier), threshold: threshold),
        .release: .init(keyIdentifiers: [others[0].identifier], threshold: 1),
        .director: .init(keyIdentifiers: [others[1].identifier], threshold: 1),
      ])
  }

  static func message(_ document: RootDocument, _ keys: [PrivateKey]) throws -> [UInt8] {
    try SignedMessage(role: .root, payload: document.encode(), keys: keys).encode()
  }

  static let objectID = "abcdefghijklmnopqrst-_"

  static let release = ReleaseDocument(
    fleet: "fleet", model: "digits", sequence: 7, versionText: "7.0", created: now,
    rawSize: 200_000, blockSizeLog2: 16,
    files: [
      .init(name: "model.tflite", offset: 4096, size: 100_000, sha256: SHA256.hash([1])),
      .init(name: "golden.cbor", offset: 106_496, size: 93_504, sha256: SHA256.hash([2])),
    ],
    bundleSHA256: SHA256.hash([3]), blockListSHA256: SHA256.hash([4]),
    full: .init(objectID: objectID, encodedBytes: 150_000),
    deltas: [
      .init(
        baseSHA256: SHA256.hash([5]), object: .init(objectID: objectID, encodedBytes: 900))
    ],
    needs: .init(
      runtimeMinimum: "0.1", runtimeMaximum: "2.0", architecture: "aarch64",
      processorFeatures: 1 << 63, peakBytes: 1_000_000, diskBytes: 265_536),
    gate: .init(
      vectorsFile: "golden.cbor", integerTolerance: 1, relativeTolerance: 100_000,
      latencyRatioMaximum: 1250, residentBytesMaximum: 9_000_000, trialMinutes: 10,
      trialRequestsMinimum: 100, errorRateMaximum: 1000),
    securityFloor: 3, expires: now + 500)

  static let director = DirectorDocument(
    fleet: "fleet", model: "digits", rootVersion: 1, sequence: 12, issued: now,
    expires: now + 400, target: .init(sequence: 7, manifestSHA256: SHA256.hash([6])),
    fallback: .init(sequence: 6, manifestSHA256: SHA256.hash([7])),
    cohortLabels: ["north", "south"], percent: 2500, salt: [1, 2, 3], spreadSeconds: 3600,
    stage: 2, isPaused: true, floor: 5, allowsDown: true)

  static let status = StatusDocument(
    birth: 3, sequence: 9, agent: "0.1", kernels: "avx2",
    models: [
      .init(
        name: "digits", state: "fetching", current: 6, previous: 5, target: 7,
        progressPercent: 40, cause: "block-hash", attempts: 1, directorSequence: 12,
        isStale: true, requests: 100, errors: 1, latencyP50: 80, latencyP99: 200,
        isPinned: true)
    ],
    residentBytes: 9_000_000, diskFreeBytes: 1 << 33, uptimeSeconds: 60,
    temperatureMillidegrees: -5500, uplinkBytes: 12_345, commandSequence: 4, told: now,
    heldUntil: now)

  static let command = CommandDocument(
    fleet: "fleet", device: "kiosk-7", rootVersion: 1, sequence: 4, issued: now,
    expires: now + 400,
    pins: [
      .init(model: "digits", target: .init(sequence: 6, manifestSHA256: SHA256.hash([7]))),
      .init(model: "faces", target: nil),
    ], hold: now + 300)

  static let birth = BirthDocument.birth(4, boot: [1, 2, 3, 4], agent: "0.1")
}
