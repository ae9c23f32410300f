package import MQTT
package import SignedDocuments

/// Speaks to single devices: reads the last command to one and publishes the next.
package struct Commander: Sendable {
  private let keys: PublisherKeys
  private let broker: MQTTConfiguration
  private let recordDirectory: String?
  private let device: String

  package init(
    keys: PublisherKeys, broker: MQTTConfiguration, recordDirectory: String?, device: String
  ) {
    self.keys = keys
    self.broker = broker
    self.recordDirectory = recordDirectory
    self.device = device
  }

  private var root: TrustedRoot { keys.trustedRoot }
  private var fleet: String { root.document.fleet }

  /// Publishes the last command changed by `change`, with the next number and a new time.
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
    do throws(DocumentError) { try root.checkExpiry(now: now) } catch { throw .document(error) }
    let session = try BrokerSession(broker)
    try session.connect()
    defer { session.disconnect() }
    var command = try latest(session) ?? empty(now)
    let isSameRoot = command.rootVersion == root.document.version
    guard !isSameRoot || command.sequence < Int64.max else { throw .sequenceExhausted }
    command.sequence = isSameRoot ? command.sequence + 1 : 1
    command.rootVersion = root.document.version
    command.issued = now
    command.expires = min(now + seconds, DocumentLimits.time.upperBound)
    try change(&command)
    let message = try command.signed(by: keys)
    // Recorded before it is sent: a number may be skipped, never used twice.
    try record?.write(message)
    let topic = Topic.acknowledgement(fleet: fleet, device: device)
    if waitSeconds > 0 { try session.subscribe(topic) }
    try session.publish([Publication(.command(fleet: fleet, device: device), message)]) { _ in }
    let answer = try session.await(topic, seconds: waitSeconds) { payload in
      (try? AcknowledgementDocument.decode(payload)).flatMap {
        $0.sequence == command.sequence ? $0 : nil
      }
    }
    return (command, answer)
  }

  private var record: CommandRecord? {
    recordDirectory.map { CommandRecord(directory: $0, device: device) }
  }

  private func empty(_ now: Int64) -> CommandDocument {
    CommandDocument(
      fleet: fleet, device: device, rootVersion: root.document.version, sequence: 0, issued: now,
      expires: now)
  }

  private func latest(_ session: BrokerSession) throws(PublishingError) -> CommandDocument? {
    let topic = Topic.command(fleet: fleet, device: device)
    let retained = try session.retained([topic])[topic]
    return [retained, record?.read()].compactMap { message in
      message.flatMap { try? root.authenticate(command: $0, device: device) }
    }.max { ($0.rootVersion, $0.sequence) < ($1.rootVersion, $1.sequence) }
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

  /// Has `model` follow the director again.
  package mutating func unpin(_ model: String) throws(PublishingError) {
    guard pins.contains(where: { $0.model == model }) else {
      throw .notPinned(model: model, device: device)
    }
    pins.removeAll { $0.model == model }
  }
}
