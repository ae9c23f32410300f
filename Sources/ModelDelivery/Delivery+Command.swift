import Cryptography
import SignedDocuments

/// Commands to this device alone.
extension Delivery {
  /// Takes in the message on the device's command topic.
  mutating func commanded(_ message: [UInt8], _ now: DeliveryTime) -> [DeliveryEffect] {
    guard !message.isEmpty, message.count <= DeliveryLimits.messageBytes else { return [] }
    let command: CommandDocument
    do throws(DocumentError) {
      command = try context.root.authenticate(command: message, device: context.profile.device)
    } catch {
      // Whose number it bears is not known either, so nobody is answered.
      return []
    }
    let heard = DeliveryRecord.Director(
      rootVersion: command.rootVersion, sequence: command.sequence, digest: SHA256.hash(message))
    if let refusal = objection(to: command, heard, now) {
      return [.acknowledge(sequence: command.sequence, code: refusal.rawValue)]
    }
    let isNew = record.command != heard
    record.command = heard
    record.hold = command.hold
    let isHoldChanged = context.hold != command.hold
    context.hold = command.hold
    let effects = all { machine, context in
      let pin = command.pins.first { $0.model == machine.model }
      return machine.commanded(
        pin, isNew: isNew, isHoldChanged: isHoldChanged, &context, now)
    }
    guard isNew else { return effects }
    context.vouchedTime = max(context.vouchedTime, command.issued)
    // Durable before acted on: an older command can never be taken for news after a power cut.
    return [.persist(model: context.profile.models.first ?? "", record: [])] + effects + [
      .acknowledge(sequence: command.sequence, code: AcknowledgementDocument.accepted)
    ]
  }

  private func objection(
    to command: CommandDocument, _ heard: DeliveryRecord.Director, _ now: DeliveryTime
  ) -> Cause? {
    guard record.command != heard else { return nil }
    if let last = record.command, !last.precedes(heard) { return .rollback }
    if command.rootVersion > rootVersion { return .signature }
    return context.seconds(now) < command.expires ? nil : .expired
  }
}

extension ModelMachine {
  /// What the device is to run: the director's word, but for a pin.
  var wish: DirectorDocument? {
    guard var wish = director else { return nil }
    guard record.isPinned else { return wish }
    // Until the command is heard again after a start, and where it names no version, all stays.
    guard let target = pin?.target else { return nil }
    wish.target = target
    wish.percent = DirectorDocument.everyone
    wish.cohortLabels = []
    wish.spreadSeconds = 0
    wish.isPaused = false
    // Down to the floor, which no command lowers.
    wish.allowsDown = true
    return wish
  }

  /// Takes in what the command says of this model; nil when it follows the director.
  fileprivate mutating func commanded(
    _ pin: CommandDocument.Pin?, isNew: Bool, isHoldChanged: Bool, _ context: inout DeliveryContext,
    _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    let isChange = self.pin != pin || record.isPinned != (pin != nil)
    self.pin = pin
    record.isPinned = pin != nil
    guard isChange || isHoldChanged else { return [] }
    if isChange, isNew {
      // A new word is a new chance.
      record.candidate = nil
      givenUp = []
      trouble.succeed()
    }
    return evaluate(&context, now)
  }
}
