import Agent
import BoardProfiles
import Glibc
import KernelDispatch
import KernelInterface

/// Looks at the device itself: processor, memory, disk and clock.
struct DeviceChecks {
  let configuration: AgentConfiguration
  var facts = SystemFacts()

  func findings() -> [Finding] { [board(), kernels(), memory(), disk(), clock()] }

  private func board() -> Finding {
    guard let detection = BoardDetection.detect(.ofThisDevice()) else {
      return .warning(
        "board", "No profile is for \(BoardFacts.machine).", "Set \"memory_budget\" and \"threads\".")
    }
    let seen = "\(detection.board) (\(detection.confidence.rawValue))"
    guard let configured = configuration.board else {
      guard detection.confidence != .unknown else {
        return .ok("board", "None is configured, and no profile is for this device.")
      }
      return .warning(
        "board", "None is configured; this looks like \(seen).",
        "Set \"board\" to \"\(detection.board)\", for its budget and threads.")
    }
    guard detection.confidence == .unknown || detection.board == configured else {
      return .warning(
        "board", "\(configured) is configured; this looks like \(seen).",
        "Set \"board\" to what it is, or to \"auto\".")
    }
    let differences = BoardCatalogue.named(configured)?.differences(from: .ofThisDevice()) ?? []
    guard let first = differences.first else { return .ok("board", "\(configured), as configured.") }
    return .warning(
      "board", "\(configured) is configured. \(first)",
      "`edgeserve board show \(configured)` tells what is expected.")
  }

  private func kernels() -> Finding {
    let supported = KernelTable.supported.map(\.name)
    let best = KernelTable.best.name
    guard let wanted = configuration.kernels else {
      if supported.count == 1 {
        return .warning(
          "kernels", "This processor runs the \(best) kernels only.",
          "Expect two to four times the latency of one with wider vectors.")
      }
      return .ok("kernels", "\(best), the best of \(supported.joined(separator: ", ")).")
    }
    guard supported.contains(wanted) else {
      return .problem(
        "kernels", "The configuration asks for \(wanted), which this processor does not run.",
        "Set \"kernels\" to one of \(supported.joined(separator: ", ")), or leave it out.")
    }
    return wanted == best
      ? .ok("kernels", "\(wanted), as configured.")
      : .warning(
        "kernels", "\(wanted) is configured, and \(best) is faster here.",
        "Leave \"kernels\" out of the configuration.")
  }

  private func memory() -> Finding {
    guard let total = facts.memoryBytes else {
      return .warning(
        "memory", "The system does not tell how much memory it has.",
        "Check that /proc is there.")
    }
    // The smaller of what the device has and what its control group may take.
    let granted = min(total, facts.memoryLimitBytes ?? .max)
    let have = ByteSize.describe(granted)
    guard let budget = configuration.memoryBudget else {
      return .warning(
        "memory", "No budget is set; the agent may take all of \(have).",
        "Set \"memory_budget\", and leave room for the program itself and for the apps.")
    }
    let described = ByteSize.describe(budget)
    guard budget + Self.programBytes <= granted else {
      return .problem(
        "memory", "The budget of \(described) and the program do not fit into \(have).",
        "Lower \"memory_budget\", or raise the limit of the service.")
    }
    if budget > granted / 2 {
      return .warning(
        "memory", "The budget of \(described) is more than half of \(have).",
        "Check that the apps get along with the rest.")
    }
    return .ok("memory", "A budget of \(described), of \(have).")
  }

  /// Resident bytes of the program before any model, rounded up.
  private static let programBytes = 20 << 20

  private func disk() -> Finding {
    let path = configuration.stateDirectory
    guard configuration.delivery != nil else {
      return .ok("disk", "Nothing is delivered, so nothing is stored.")
    }
    guard let existing = facts.nearestDirectory(path) else {
      return .problem("disk", "\(path) is not reachable.", "Check that its disk is mounted.")
    }
    guard facts.isWritable(existing) else {
      return .problem(
        "disk", "\(existing) is not writable for user \(getuid()).",
        "Give it to the user of the agent, or run this as that user.")
    }
    let free = facts.freeBytes(existing)
    if facts.isVolatile(existing) {
      return .warning(
        "disk", "\(path) lies in memory, and is gone after a restart of the device.",
        "Set \"state_dir\" to a place on a disk.")
    }
    guard free >= Self.freeBytesMinimum else {
      return .problem(
        "disk", "\(ByteSize.describe(Int(clamping: free))) are free at \(path).",
        "Free some, or set \"state_dir\" to another disk.")
    }
    return .ok("disk", "\(ByteSize.describe(Int(clamping: free))) are free at \(path).")
  }

  /// Less than this holds no model worth the name besides the one that serves.
  private static let freeBytesMinimum: Int64 = 16 << 20

  private func clock() -> Finding {
    let now = facts.secondsSince1970
    guard now >= Self.oldestTime else {
      return .problem(
        "clock", "The clock says \(UTCTime.text(seconds: max(0, now), milliseconds: 0)).",
        "Set it: signed documents expire by it. A device without a clock of its own needs NTP.")
    }
    guard facts.isClockSynchronised else {
      return .warning(
        "clock", "The clock runs without a time server.",
        "Start one (systemd-timesyncd, chrony): signed documents expire by it.")
    }
    return .ok("clock", "\(UTCTime.text(seconds: now, milliseconds: 0)), kept by a time server.")
  }

  /// No device runs this program before 2026.
  private static let oldestTime = 1_767_225_600
}
