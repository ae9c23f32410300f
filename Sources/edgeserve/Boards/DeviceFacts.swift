import Agent
import BoardProfiles
import Glibc
import KernelDispatch
import KernelInterface

extension BoardFacts {
  /// Bytes that are read of one of the kernel's files.
  private static let fileBytesMaximum = 1 << 20

  /// What the device that this runs on says of itself.
  ///
  /// - Parameter root: where `/proc` is; tests bring their own.
  static func ofThisDevice(root: String = "") -> BoardFacts {
    func bytes(_ path: String) -> [UInt8] {
      (try? WholeFile.read(root + path, maximum: fileBytesMaximum)) ?? []
    }
    return BoardFacts(
      architecture: machine, kernels: KernelTable.best.name,
      deviceTreeCompatible: bytes("/proc/device-tree/compatible"),
      deviceTreeModel: bytes("/proc/device-tree/model"),
      processorText: bytes("/proc/cpuinfo"), memoryBytes: SystemFacts(root: root).memoryBytes)
  }

  /// The architecture of this program.
  static var machine: String {
    #if arch(arm64)
      "aarch64"
    #else
      "x86_64"
    #endif
  }
}

/// Boards by the names that people give them.
enum NamedBoard {
  /// The word for the board that is detected.
  static let detected = "auto"
  /// The word for any machine of this architecture.
  static let generic = "generic"

  static func find(_ name: String) throws(AgentError) -> BoardProfile {
    let profile: BoardProfile? =
      switch name {
      case detected:
        BoardDetection.detect(.ofThisDevice()).flatMap { BoardCatalogue.named($0.board) }
      case generic: BoardCatalogue.generic(BoardFacts.machine)
      default: BoardCatalogue.named(name)
      }
    guard let profile else {
      throw .invalidValue(
        key: "board", value: name,
        expected: "auto, generic, or one of "
          + BoardCatalogue.profiles.map(\.name).joined(separator: ", "))
    }
    return profile
  }
}

extension AgentConfiguration {
  /// Sets what the board's profile says and nothing else has set.
  mutating func applyBoard() throws(AgentError) {
    guard let name = board else { return }
    let profile = try NamedBoard.find(name)
    board = profile.name
    memoryBudget = memoryBudget ?? profile.budgetBytes
    let stride = delivery?.syncStrideBytes ?? profile.syncStrideBytes
    delivery?.syncStrideBytes = stride
    weightsCache.dailyBytesMaximum =
      weightsCache.dailyBytesMaximum ?? profile.choices.dailyWritesMebibytes << 20
    // Of any machine, the number of cores is known only where it runs.
    if !profile.isGeneric { threads = threads ?? profile.choices.threads }
  }
}
