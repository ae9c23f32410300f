import MQTT
package import SignedDocuments

/// Speaks to single devices: reads the last command to one and publishes the next.
package struct Commander: Sendable {
  private let keys: PublisherKeys
  private let brokers: FleetBrokers
  private let recordDirectory: String?
  private let device: String

  package init(
    keys: PublisherKeys, brokers: FleetBrokers, recordDirectory: String?, device: String
  ) {
    self.keys = keys
    self.brokers = brokers
    self.recordDirectory = recordDirectory
    self.device = device
  }

  /// Publishes the last command changed by `change`, with the next number and a new time, to every
  /// broker.
  ///
  /// - Parameters:
  ///   - seconds: until a device that did not hear it does not take it up any more.
  ///   - waitSeconds: for the device's answer.
  /// - Returns: the command, and the device's answer when it came in time.
  package func speak(
    now: Int64, seconds: Int64, waitSeconds: Int,
    _ change: (inout CommandDocument) throws(PublishingError) -> Void
  ) throws(PublishingError) -> (command: CommandDocument, answer: AcknowledgementDocument?) {
    guard Token.isValid(device) else { throw .invalidName(device) }
    let series = DocumentSeries<CommandDocument>(
      keys, device: device, recordDirectory: recordDirectory)
    let fleet = keys.trustedRoot.document.fleet
    return try brokers.withSessions { (sessions) throws(PublishingError) in
      let former = try series.latest(sessions)
      var command =
        former
        ?? CommandDocument(
          fleet: fleet, device: device, rootVersion: 1, sequence: 0, issued: now, expires: now)
      try change(&command)
      let next = try series.next(command, after: former, now: now, seconds: seconds)
      let topic = Topic.acknowledgement(fleet: fleet, device: device)
      if waitSeconds > 0 { for session in sessions { try session.hear([topic.name]) } }
      try sessions.publish([next.publication])
      var answer: AcknowledgementDocument?
      try sessions.listen(seconds: waitSeconds) { name, payload in
        guard name == topic.name, let word = try? AcknowledgementDocument.decode(payload),
          word.sequence == next.document.sequence
        else { return false }
        answer = word
        return true
      }
      return (next.document, answer)
    }
  }
}

extension CommandDocument {
  /// The message that carries this document, signed by the director key of `keys`.
  package func signed(by keys: PublisherKeys) throws(PublishingError) -> [UInt8] {
    try sign(encode(), keys)
  }

  /// Has `model` stay at `target`, or at what serves when there is none.
  package mutating func pin(_ model: String, to target: DirectorDocument.Reference?) {
    pins.removeAll { $0.model == model }
    pins.append(Pin(model: model, target: target))
    pins.sort { $0.model < $1.model }
  }

  /// Lets the device install again.
  package mutating func release() throws(PublishingError) {
    guard hold != nil else { throw .notHeld(device: device) }
    hold = nil
  }

  /// Has `model` follow the director again.
  package mutating func unpin(_ model: String) throws(PublishingError) {
    guard pins.contains(where: { $0.model == model }) else {
      throw .notPinned(model: model, device: device)
    }
    pins.removeAll { $0.model == model }
  }
}
