import Foundation
import JSONDocuments
import TestSupport
import Testing

@testable import BoardProfiles

@Suite("Board profiles")
struct BoardProfileTests {
  @Test("every file of Boards/profiles is built in as it is, and no other")
  func files() throws {
    let directory = Fixtures.packageDirectory + "/Boards/profiles"
    let files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    #expect(files == BoardCatalogue.documents.map { $0.name + ".json" }.sorted())
    for (name, bytes) in BoardCatalogue.documents {
      let file = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name).json"))
      #expect(Array(file) == bytes, "\(name)")
    }
  }

  @Test("each holds to the schema, and is named as its file", arguments: 0..<13)
  func schema(index: Int) throws {
    let (name, bytes) = BoardCatalogue.documents[index]
    let profile = try BoardSchema.read(bytes)
    #expect(profile.name == name)
    // What is written is what was read.
    #expect(try BoardSchema.read(JSONDocument.encode(profile)) == profile)
  }

  @Test("names and aliases lead to one board each")
  func names() {
    let names = BoardCatalogue.profiles.flatMap { [$0.name] + $0.aliases }
    #expect(Set(names).count == names.count)
    for name in names { #expect(BoardCatalogue.named(name) != nil) }
    #expect(BoardCatalogue.named("abacus") == nil)
    let devices = BoardCatalogue.profiles.flatMap(\.facts.compatible)
    #expect(Set(devices).count == devices.count)
    for architecture in ["aarch64", "x86_64"] {
      #expect(BoardCatalogue.generic(architecture)?.facts.architecture == architecture)
    }
  }

  /// A profile with one text of it replaced.
  private static func changed(_ from: String, _ to: String) throws -> [UInt8] {
    let text = String(decoding: PackageResources.rock_5b_json, as: UTF8.self)
    try #require(text.contains(from))
    return Array(text.replacingOccurrences(of: from, with: to).utf8)
  }

  @Test(
    "what breaks the schema is refused by the key that breaks it",
    arguments: [
      ("\"rock-5b\",", "\"Rock 5B\",", "name"),
      ("\"aarch64\"", "\"armv7\"", "facts.architecture"),
      ("neon-dotprod", "avx2", "facts.kernels"),
      ("\"cores\": 8", "\"cores\": 0", "facts.cores"),
      ("[4096, 8192, 16384]", "[8192, 4096]", "facts.memory_mib"),
      ("[4096, 8192, 16384]", "[]", "facts.memory_mib"),
      ("[4096, 8192, 16384]", "[1024]", "choices.service_maximum_mib"),
      ("\"0xd0b\"", "\"d0b\"", "facts.parts"),
      ("\"threads\": 4", "\"threads\": 9", "choices.threads"),
      ("[4, 5, 6, 7]", "[4, 5, 6, 8]", "choices.processors"),
      ("[4, 5, 6, 7]", "[4, 4, 5, 6]", "choices.processors"),
      ("[4, 5, 6, 7]", "[4]", "choices.processors"),
      ("\"budget_mib\": 1024", "\"budget_mib\": 1", "choices.budget_mib"),
      ("\"budget_mib\": 1024", "\"budget_mib\": 1340", "choices.service_maximum_mib"),
      ("\"daily_writes_mib\": 2048", "\"daily_writes_mib\": 0", "choices.daily_writes_mib"),
      ("\"sync_stride_mib\": 4", "\"sync_stride_mib\": 0", "choices.sync_stride_mib"),
      ("\"sync_stride_mib\": 4", "\"sync_stride_mib\": 3", "choices.sync_stride_mib"),
      ("\"sync_stride_mib\": 4", "\"sync_stride_mib\": 128", "choices.sync_stride_mib"),
      ("[\"sync_stride_mib\"]", "[\"threads\"]", "sources"),
      ("\"GRPC\"", "\"Magic\"", "choices.traits"),
      ("[\"compatible\", \"system_on_chip\"]", "[\"compatible\"]", "sources"),
    ])
  func rules(from: String, to: String, key: String) throws {
    let document = try Self.changed(from, to)
    let error = #expect(throws: BoardError.self) { try BoardSchema.read(document) }
    guard case .rule(let broken, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(broken == key)
  }

  @Test("unknown keys, missing ones and other documents are refused")
  func documents() throws {
    let stray = try Self.changed("\"cores\": 8", "\"speed\": 1, \"cores\": 8")
    #expect(throws: BoardError.unknownKey("facts.speed")) { try BoardSchema.read(stray) }
    let outer = try Self.changed("\"facts\": {", "\"colour\": 1, \"facts\": {")
    #expect(throws: BoardError.unknownKey("colour")) { try BoardSchema.read(outer) }
    for text in ["", "[]", "{}", "{\"facts\": 3}", "{\"name\": \"a\"}"] {
      let error = #expect(throws: BoardError.self) { try BoardSchema.read(Array(text.utf8)) }
      guard case .malformed = error else {
        Issue.record("\(text): \(String(describing: error))")
        continue
      }
    }
  }

  @Test("a document cut or changed anywhere is read or refused", arguments: 0..<400)
  func mutations(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var bytes = PackageResources.raspberry_pi_4_json
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
        in: 0...255, using: &random)
    }
    if seed % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
    _ = try? BoardSchema.read(bytes)
  }
}

@Suite("Board detection")
struct BoardDetectionTests {
  private static func text(_ parts: [String], features: String, count: Int) -> [UInt8] {
    Array(
      (0..<count).map { index in
        """
        processor\t: \(index)
        BogoMIPS\t: 108.00
        Features\t: \(features)
        CPU part\t: \(parts[index % parts.count])

        """
      }.joined(separator: "\n").utf8)
  }

  @Test("a board that names itself is certain, for each that has a device tree")
  func certain() throws {
    for profile in BoardCatalogue.profiles where !profile.facts.compatible.isEmpty {
      for name in profile.facts.compatible {
        let facts = BoardFacts(
          architecture: "aarch64", kernels: profile.facts.kernels,
          deviceTreeCompatible: Array(
            "\(name)\0\(profile.facts.systemOnChip.first ?? "x,y")\0".utf8),
          deviceTreeModel: Array("A board\0".utf8),
          processorText: Self.text(
            profile.facts.parts, features: "fp asimd", count: profile.facts.cores),
          memoryBytes: profile.facts.memoryMebibytes[0] << 20 / 10 * 9)
        let detection = try #require(BoardDetection.detect(facts))
        #expect(detection.board == profile.name && detection.confidence == .certain)
        #expect(detection.evidence.contains { $0.contains(name) })
        #expect(detection.differences.isEmpty, "\(detection.differences)")
      }
    }
  }

  @Test("another board with the same chip is likely one, and what differs is told")
  func likely() throws {
    let facts = BoardFacts(
      architecture: "aarch64", kernels: "neon",
      deviceTreeCompatible: Array("maker,board\0rockchip,rk3588\0".utf8),
      processorText: Self.text(["0xd03"], features: "fp asimd", count: 4), memoryBytes: 1 << 30)
    let detection = try #require(BoardDetection.detect(facts))
    #expect(detection.board == "rock-5b" && detection.confidence == .likely)
    #expect(detection.differences.count == 4)
  }

  @Test("x86 processors are told by name and by what they run")
  func processors() throws {
    func detect(_ name: String, _ kernels: String) -> BoardDetection? {
      BoardDetection.detect(
        BoardFacts(
          architecture: "x86_64", kernels: kernels,
          processorText: Array("processor\t: 0\nmodel name\t: \(name)\nflags\t\t: sse2\n".utf8)))
    }
    #expect(detect("Intel(R) N100", "avx-vnni")?.board == "intel-n100")
    #expect(
      detect("Intel(R) Atom(TM) Processor E3950 @ 1.60GHz", "baseline")?.board == "atom-without-avx"
    )
    // A later Atom, with AVX2.
    #expect(detect("Intel(R) Atom(TM) x7425E", "avx2")?.board == "generic-x86-64")
    let other = detect("AMD EPYC", "avx512-vnni")
    #expect(other?.board == "generic-x86-64" && other?.confidence == .unknown)
    #expect(BoardDetection.detect(BoardFacts(architecture: "riscv64", kernels: "x")) == nil)
  }

  @Test("what the kernel writes of processors is read")
  func processorText() {
    let facts = BoardFacts(
      architecture: "aarch64", kernels: "neon",
      processorText: Self.text(["0xd05", "0xd0b"], features: "fp asimd asimddp", count: 4))
    #expect(facts.processors == 4 && facts.parts == ["0xd05", "0xd0b"])
    #expect(facts.features == ["fp", "asimd", "asimddp"] && facts.processorName == nil)
  }
}
