internal import JSONDocuments

/// What a device says of itself.
package struct BoardFacts: Sendable, Equatable {
  /// As `uname -m` says it.
  package var architecture: String
  /// The names of the device tree's root, the most special first; none without a device tree.
  package var compatible: [String]
  /// The device tree's word for people; nil without one.
  package var model: String?
  /// The name of the processor, of x86.
  package var processorName: String?
  /// Part numbers of the cores, of ARM.
  package var parts: [String]
  /// Features of the first core, as the kernel names them.
  package var features: [String]
  package var processors: Int
  package var memoryBytes: Int?
  /// The best kernel table that this processor can run.
  package var kernels: String

  package init(
    architecture: String, kernels: String, deviceTreeCompatible: [UInt8] = [],
    deviceTreeModel: [UInt8] = [], processorText: [UInt8] = [], memoryBytes: Int? = nil
  ) {
    self.architecture = architecture
    self.kernels = kernels
    self.memoryBytes = memoryBytes
    compatible = deviceTreeCompatible.split(separator: 0).map {
      String(decoding: $0, as: UTF8.self)
    }
    model = deviceTreeModel.split(separator: 0).first.map { String(decoding: $0, as: UTF8.self) }
    (parts, features, processors, processorName) = ([], [], 0, nil)
    for line in String(decoding: processorText, as: UTF8.self).split(separator: "\n") {
      let halves = line.split(separator: ":", maxSplits: 1).map { half in
        String(half.drop { $0 == " " || $0 == "\t" })
      }
      guard halves.count == 2 else { continue }
      take(halves[0].split(separator: "\t").joined(), halves[1])
    }
  }

  private mutating func take(_ key: String, _ value: String) {
    switch key {
    case "processor": processors += 1
    case "model name" where processorName == nil: processorName = value
    case "CPU part" where !parts.contains(value): parts.append(value)
    case "flags" where features.isEmpty, "Features" where features.isEmpty:
      features = value.split(separator: " ").map(String.init)
    default: break
    }
  }
}

/// Which board a device is, and how sure that is.
package struct BoardDetection: Codable, Sendable, Equatable {
  package enum Confidence: String, Codable, Sendable {
    /// The device names itself so.
    case certain
    /// The chip or the processor fits, and other boards have it too.
    case likely
    /// Nothing but the architecture is known.
    case unknown
  }

  package var board: String
  package var confidence: Confidence
  /// What spoke for it, in sentences.
  package var evidence: [String]
  /// What is not as the profile says, in sentences.
  package var differences: [String]

  /// - Returns: nil for an architecture that no profile is for.
  package static func detect(
    _ facts: BoardFacts, among profiles: [BoardProfile] = BoardCatalogue.profiles
  ) -> BoardDetection? {
    let candidates = profiles.filter { $0.facts.architecture == facts.architecture }
    for (keys, confidence) in [
      (\BoardProfile.Facts.compatible, Confidence.certain), (\.systemOnChip, .likely),
    ] {
      for profile in candidates {
        guard let name = facts.compatible.first(where: profile.facts[keyPath: keys].contains)
        else { continue }
        return BoardDetection(
          profile, confidence, "The device tree is compatible with \(name).", facts)
      }
    }
    if let processor = facts.processorName {
      for profile in candidates where profile.facts.modelNames.contains(where: processor.holds) {
        // Some names cover processors with and without wide vectors: the kernels tell them apart.
        guard profile.facts.kernels == facts.kernels else { continue }
        return BoardDetection(profile, .likely, "The processor is \(processor).", facts)
      }
    }
    return BoardCatalogue.generic(facts.architecture).map {
      BoardDetection($0, .unknown, "No profile is for this device.", facts)
    }
  }

  private init(
    _ profile: BoardProfile, _ confidence: Confidence, _ evidence: String, _ facts: BoardFacts
  ) {
    board = profile.name
    self.confidence = confidence
    self.evidence = [evidence] + (facts.model.map { ["It calls itself \($0)."] } ?? [])
    differences = profile.differences(from: facts)
  }
}

extension BoardProfile {
  /// What the device shows and the profile does not expect, in sentences.
  package func differences(from device: BoardFacts) -> [String] {
    guard !isGeneric else { return [] }
    var sentences: [String] = []
    if device.kernels != facts.kernels {
      sentences.append(
        "The processor runs the \(device.kernels) kernels; \(facts.kernels) are expected.")
    }
    let strange = device.parts.filter { !facts.parts.contains($0) }
    if !facts.parts.isEmpty, !strange.isEmpty {
      sentences.append(
        "Cores have the part number \(strange.joined(separator: ", ")); "
          + "\(facts.parts.joined(separator: ", ")) is expected.")
    }
    if device.processors > 0, device.processors < facts.cores {
      sentences.append("It has \(device.processors) processors; \(facts.cores) are expected.")
    }
    // The kernel and the display keep a part of what is installed.
    if let memory = device.memoryBytes, memory < facts.memoryMebibytes[0] << 20 / 2 {
      sentences.append(
        "It has \(memory >> 20) MiB of memory; \(facts.memoryMebibytes[0]) MiB are expected.")
    }
    return sentences
  }
}
