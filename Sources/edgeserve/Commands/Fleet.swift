import Agent
import ArgumentParser
import Glibc
import Publishing
import SignedDocuments

struct Fleet: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the devices of a fleet and what runs on them.",
    discussion: """
      One line for each device and model, from what devices have told their broker; a star marks \
      a model that is pinned, and an H a device that is held. With --watch the table is read anew until interrupted.

      Example:
        edgeserve fleet --keys keys --broker broker.local
        edgeserve fleet --watch --online --model digits --keys keys --broker broker.local
        edgeserve fleet --state refused --json --keys keys --broker broker.local
      """)

  @OptionGroup var fleet: FleetOptions

  @OptionGroup var filter: FleetFilter

  @Flag(help: "Show it anew, until interrupted.")
  var watch = false

  @Option(help: "Seconds between two looks with --watch.")
  var interval: UInt64 = 2

  @Flag(help: "Print one JSON document to stdout; with --watch, one a look.")
  var json = false

  func validate() throws {
    guard (1...3600).contains(interval) else {
      throw ValidationError("--interval is from 1 to 3600")
    }
  }

  func run() throws {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    repeat {
      let devices = try fleet.snapshot(isQuiet: watch).sorted
      let rows = filter.rows(devices)
      if json {
        try printJSON(["devices": rows])
      } else {
        // Home, then clear to the end: less flicker than clearing first.
        let clear = watch && isTerminal ? "\u{1B}[H\u{1B}[J" : ""
        let lines = FleetTable.lines(rows, now: secondsSince1970()) + [FleetTable.summary(devices)]
        StandardOutput.write(Array((clear + lines.joined(separator: "\n") + "\n").utf8))
      }
      if watch { sleep(UInt32(interval)) }
    } while watch
  }
}

/// Which devices and models are shown.
struct FleetFilter: ParsableArguments {
  @Option(help: "Only this model.")
  var model: String?

  @Option(help: "Only models in this state.")
  var state: String?

  @Option(help: "Only models of which this version serves.")
  var version: Int64?

  @Option(help: "Only models that this cause holds up.")
  var cause: String?

  @Option(help: "Only devices whose name begins so.")
  var device: String?

  @Flag(help: "Only devices that are there.")
  var online = false

  @Flag(help: "Only models whose director's word has run out.")
  var stale = false

  /// One row for each model that is wanted; a device that told of none has one without.
  func rows(_ devices: [FleetSnapshot.Device]) -> [FleetRow] {
    Self.all(devices.filter { (!online || $0.isOnline) && $0.name.hasPrefix(device ?? "") })
      .filter(isWanted)
  }

  /// One row for each model, and one for a device that told of none.
  static func all(_ devices: [FleetSnapshot.Device]) -> [FleetRow] {
    devices.flatMap { device in
      let models = device.status?.models ?? []
      return models.isEmpty ? [FleetRow(device, nil)] : models.map { FleetRow(device, $0) }
    }
  }

  private func isWanted(_ row: FleetRow) -> Bool {
    (model == nil || row.model == model) && (state == nil || row.state == state)
      && (version == nil || row.version == version) && (cause == nil || row.cause == cause)
      && (!stale || row.stale)
  }
}

/// The fleet as lines for people.
enum FleetTable {
  static func lines(_ rows: [FleetRow], now: Int64) -> [String] {
    var table = TextTable([
      ("DEVICE", .left), ("", .left), ("MODEL", .left), ("VERSION", .right), ("TARGET", .right),
      ("STATE", .left), ("CAUSE", .left), ("REQUESTS", .right), ("ERRORS", .right),
      ("P99", .right), ("RESIDENT", .right), ("TOLD", .right),
    ])
    for row in rows {
      let progress = row.state == "fetching" ? " \(row.progressPercent) %" : ""
      table.append([
        shortened(row.device), row.online ? "online" : "away",
        (row.model ?? "–") + (row.pinned ? "*" : "") + (row.heldUntil == nil ? "" : " H"),
        row.version.map(String.init) ?? "–", row.target.map(String.init) ?? "–",
        (row.state ?? "–") + progress, row.cause ?? "", "\(row.requests)", "\(row.errors)",
        row.latencyP99 == 0 ? "" : "\(row.latencyP99) µs",
        ByteSize.describe(Int(row.residentBytes)), row.told.map { ago(now - $0) } ?? "",
      ])
    }
    return table.lines
  }

  /// How many there are, in one line.
  static func summary(_ devices: [FleetSnapshot.Device]) -> String {
    let models = devices.flatMap { $0.status?.models ?? [] }
    let failed = models.count { $0.state == "refused" || $0.state == "rolled-back" }
    return "\(devices.count) devices, \(devices.count(where: \.isOnline)) online; "
      + "\(models.count) models, \(models.count { $0.state == "committed" }) committed, "
      + "\(models.count { $0.state == "trial" }) on trial, \(failed) refused or taken back"
  }

  /// A time span in its largest unit; clocks that differ make it negative, which is shown as now.
  static func ago(_ seconds: Int64) -> String {
    switch seconds {
    case ..<1: "now"
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) d"
    }
  }
}

/// One model on one device, as JSON.
struct FleetRow: Encodable {
  var device: String
  var online: Bool
  var model: String?
  var version: Int64?
  var previous: Int64?
  var target: Int64?
  var state: String?
  var cause: String?
  var stale: Bool
  var pinned: Bool
  /// Until when the device installs nothing, in seconds since 1970; 0 until it is let go.
  var heldUntil: Int64?
  var attempts: Int64
  var directorSequence: Int64
  var progressPercent: Int64
  var requests: Int64
  var errors: Int64
  var latencyP50: Int64
  var latencyP99: Int64
  var residentBytes: Int64
  var diskFreeBytes: Int64
  var uptimeSeconds: Int64
  /// When it was told by the device's clock, in seconds since 1970.
  var told: Int64?

  enum CodingKeys: String, CodingKey {
    case device, online, model, version, previous, target, state, cause, stale, pinned, attempts
    case requests, errors, told
    case heldUntil = "held_until"
    case directorSequence = "director_sequence"
    case progressPercent = "progress_percent"
    case latencyP50 = "latency_p50_us"
    case latencyP99 = "latency_p99_us"
    case residentBytes = "resident_bytes"
    case diskFreeBytes = "disk_free_bytes"
    case uptimeSeconds = "uptime_seconds"
  }

  init(_ device: FleetSnapshot.Device, _ entry: StatusDocument.Model?) {
    self.device = device.name
    online = device.isOnline
    model = entry?.name
    version = entry?.current
    previous = entry?.previous
    target = entry?.target
    state = entry?.state
    cause = entry?.cause
    stale = entry?.isStale ?? false
    pinned = entry?.isPinned ?? false
    heldUntil = device.status?.heldUntil
    attempts = entry?.attempts ?? 0
    directorSequence = entry?.directorSequence ?? 0
    progressPercent = entry?.progressPercent ?? 0
    requests = entry?.requests ?? 0
    errors = entry?.errors ?? 0
    latencyP50 = entry?.latencyP50 ?? 0
    latencyP99 = entry?.latencyP99 ?? 0
    residentBytes = device.status?.residentBytes ?? 0
    diskFreeBytes = device.status?.diskFreeBytes ?? 0
    uptimeSeconds = device.status?.uptimeSeconds ?? 0
    told = device.status?.told
  }
}
