package import SignedDocuments

/// What the broker retains of a fleet's devices.
package struct FleetSnapshot: Sendable, Equatable {
  /// One device's last word.
  package struct Device: Sendable, Equatable {
    package var name: String
    /// The last status; nil when only its birth or death is there.
    package var status: StatusDocument?
    /// The last birth or death; nil when there is none.
    package var liveness: BirthDocument?

    /// Whether the device is there; a death that is older than its status is not believed.
    package var isOnline: Bool {
      guard let liveness else { return false }
      return liveness.isOnline || liveness.birth < status?.birth ?? 0
    }

    /// What it tells of `model`.
    package func model(_ name: String) -> StatusDocument.Model? {
      status?.models.first { $0.name == name }
    }
  }

  /// The devices, by name in order.
  package private(set) var devices: [Device] = []
  private var places: [String: Int] = [:]

  package init() {}

  /// Takes in a retained message of a device; anything else is left out. Of words from several
  /// brokers the one with the highest number counts.
  package mutating func take(_ topicName: String, _ payload: [UInt8]) {
    switch Topic(topicName) {
    case .status(_, let device):
      guard let status = try? StatusDocument.decode(payload) else { return }
      change(device) {
        if let known = $0.status, (known.birth, known.sequence) > (status.birth, status.sequence) {
          return
        }
        $0.status = status
      }
    case .liveness(_, let device):
      guard let word = try? BirthDocument.decode(payload) else { return }
      change(device) {
        // A death that was overtaken by the next birth says nothing, and one ends the birth of its
        // number.
        let known = $0.liveness?.birth ?? 0
        if word.birth > known || word.birth == known && !word.isOnline || $0.liveness == nil {
          $0.liveness = word
        }
      }
    default: break
    }
  }

  private mutating func change(_ name: String, _ body: (inout Device) -> Void) {
    if places[name] == nil {
      places[name] = devices.count
      devices.append(Device(name: name))
    }
    if let place = places[name] { body(&devices[place]) }
  }

  /// The devices in the order of their names.
  package var sorted: [Device] { devices.sorted { $0.name < $1.name } }

  /// Causes that a version on trial fails by.
  private static let trialFailures: Set<String> = ["error-rate", "gate-latency", "gate-memory"]

  /// The devices as a rollout of `director` sees them.
  ///
  /// A device whose label decides is taken as meant once it has heard the director: labels are
  /// known to the device alone. Devices that are pinned or held take no part.
  package func rollout(_ director: DirectorDocument) -> [RolloutController.Device] {
    devices.filter {
      $0.model(director.model)?.isPinned != true && $0.status?.heldUntil == nil
    }.map { device in
      let model = device.model(director.model)
      let hasHeard = (model?.directorSequence ?? 0) >= director.sequence
      let isTarget = model?.target == director.target.sequence
      // On trial it may still be taken back.
      let serves = model?.current == director.target.sequence && model?.state != "trial"
      // A first version that fails has none before it, and stays on trial with its cause.
      let hasFailed =
        isTarget && !serves
        && (model?.state == "refused" || model?.state == "rolled-back"
          || model?.state == "trial" && model?.cause.map(Self.trialFailures.contains) == true)
      return RolloutController.Device(
        isMeant: director.cohortLabels.isEmpty
          ? director.includes(device: device.name, labels: []) : hasHeard && isTarget,
        isOnline: device.isOnline, serves: serves,
        failure: hasFailed ? model?.cause ?? "refused" : nil)
    }
  }
}
