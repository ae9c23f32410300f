import Agent
import ArgumentParser
import Publishing
import SignedDocuments

struct Fleet: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the devices of a fleet and what runs on them.",
    discussion: """
      One line for each device and model, from what devices have told their broker.

      Example:
        edgeserve fleet --keys keys --broker broker.local
        edgeserve fleet --state refused --json --keys keys --broker broker.local
      """)

  @OptionGroup var fleet: FleetOptions

  @Option(help: "Only this model.")
  var model: String?

  @Option(help: "Only models in this state.")
  var state: String?

  @Flag(help: "Only devices that are there.")
  var online = false

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func run() throws {
    let rows = try fleet.snapshot().sorted.filter { !online || $0.isOnline }.flatMap(rows)
    if json { return try printJSON(["devices": rows]) }
    var table = TextTable([
      ("DEVICE", .left), ("", .left), ("MODEL", .left), ("VERSION", .right), ("TARGET", .right),
      ("STATE", .left), ("CAUSE", .left), ("P99", .right), ("RESIDENT", .right),
    ])
    for row in rows {
      let progress = row.state == "fetching" ? " \(row.progressPercent) %" : ""
      table.append([
        shortened(row.device), row.online ? "online" : "away", row.model ?? "–",
        row.version.map(String.init) ?? "–", row.target.map(String.init) ?? "–",
        (row.state ?? "–") + progress, row.cause ?? "",
        row.latencyP99 == 0 ? "" : "\(row.latencyP99) µs",
        ByteSize.describe(Int(row.residentBytes)),
      ])
    }
    for line in table.lines { print(line) }
  }

  private func rows(_ device: FleetSnapshot.Device) -> [FleetRow] {
    guard let models = device.status?.models, !models.isEmpty else {
      return model == nil && state == nil ? [FleetRow(device, nil)] : []
    }
    return models.filter { entry in
      (model == nil || entry.name == model) && (state == nil || entry.state == state)
    }.map { FleetRow(device, $0) }
  }
}

/// One model on one device, as JSON.
private struct FleetRow: Encodable {
  var device: String
  var online: Bool
  var model: String?
  var version: Int64?
  var target: Int64?
  var state: String?
  var cause: String?
  var stale: Bool
  var progressPercent: Int64
  var latencyP99: Int64
  var residentBytes: Int64
  var diskFreeBytes: Int64

  enum CodingKeys: String, CodingKey {
    case device, online, model, version, target, state, cause, stale
    case progressPercent = "progress_percent"
    case latencyP99 = "latency_p99_us"
    case residentBytes = "resident_bytes"
    case diskFreeBytes = "disk_free_bytes"
  }

  init(_ device: FleetSnapshot.Device, _ entry: StatusDocument.Model?) {
    self.device = device.name
    online = device.isOnline
    model = entry?.name
    version = entry?.current
    target = entry?.target
    state = entry?.state
    cause = entry?.cause
    stale = entry?.isStale ?? false
    progressPercent = entry?.progressPercent ?? 0
    latencyP99 = entry?.latencyP99 ?? 0
    residentBytes = device.status?.residentBytes ?? 0
    diskFreeBytes = device.status?.diskFreeBytes ?? 0
  }
}
