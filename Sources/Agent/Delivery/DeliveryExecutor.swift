import Cryptography
import ModelDelivery
import ModelStorage

/// Where an executor sends what is not storage.
protocol DeliveryOutlet: AnyObject {
  func subscribe(_ topics: [String])
  func unsubscribe(_ topics: [String])
  /// Begins an activation; its outcome is handed to the executor later as `.activated`.
  func activate(model: String, version: Int64, proof: DeliveryEffect.Proof)
  func acknowledge(sequence: Int64, code: String)
  /// Tells the publisher that the broker does not hold all of an object.
  func requestSeed(objectID: String)
  /// Leaves the broker; it is connected to anew as after any loss.
  func reconnect()
  /// Leaves the broker for another one, where there is one.
  func changeBroker()
  /// What is known of a version; nil when nothing is.
  func observe(model: String, version: Int64) -> VersionObservation?
}

/// Does what the delivery machine asks for, and tells it what came of it, in order.
///
/// Used by one thread.
final class DeliveryExecutor {
  private(set) var delivery: Delivery
  let store: ModelStore
  private weak var outlet: (any DeliveryOutlet)?

  init(_ delivery: Delivery, _ store: ModelStore, _ outlet: any DeliveryOutlet) {
    self.delivery = delivery
    self.store = store
    self.outlet = outlet
  }

  /// Takes in an event and everything that follows from it.
  func handle(_ event: DeliveryEvent, now: DeliveryTime) {
    var events = [event]
    while !events.isEmpty {
      let effects = delivery.handle(events.removeFirst(), now: now)
      events += perform(effects)
    }
  }

  /// Counts a birth, durable if the state can be saved.
  func nextBirth() -> Int64 {
    let (birth, record) = delivery.nextBirth()
    // A birth that is not saved may be told twice; nothing but its order against deaths is lost.
    try? store.save(record)
    return birth
  }

  private func perform(_ effects: [DeliveryEffect]) -> [DeliveryEvent] {
    var events: [DeliveryEvent] = []
    var failed: Set<String> = []
    for effect in effects {
      switch effect {
      case .subscribe(let topics): outlet?.subscribe(topics)
      case .unsubscribe(let topics): outlet?.unsubscribe(topics)
      case .activate(let model, let version, let proof):
        guard !failed.contains(model) else { continue }
        outlet?.activate(model: model, version: version, proof: proof)
      case .observe(let model, let version):
        guard let observation = outlet?.observe(model: model, version: version) else { continue }
        events.append(.observed(model: model, version: version, observation: observation))
      case .requestSeed(let objectID): outlet?.requestSeed(objectID: objectID)
      case .reconnect: outlet?.reconnect()
      case .changeBroker: outlet?.changeBroker()
      case .acknowledge(let sequence, let code):
        outlet?.acknowledge(sequence: sequence, code: code)
      case .readRelease(let model, let version):
        let message = try? store.release(.init(model: model, version: version))
        if let message { events.append(.releaseRead(model: model, message: message)) }
      case .verify(let model, let version, let byteCount, let bundle):
        // What cannot be read is not whole: it is fetched again.
        let isWhole = try? store.verify(
          .init(model: model, version: version), byteCount: Int(byteCount), digest: bundle)
        events.append(.verified(model: model, version: version, isWhole: isWhole ?? false))
      default:
        guard let (model, kind) = effect.storage, !failed.contains(model) else { continue }
        do throws(StorageError) {
          if let event = try performStorage(effect) { events.append(event) }
        } catch {
          failed.insert(model)
          events.append(.failed(model: model, effect: kind, failure: error.failure))
        }
      }
    }
    return events
  }

  /// Sets space aside, where there is none that of packed weights: they can be made again.
  private func reserve(_ reservation: DeliveryEffect.Reservation) throws(StorageError) -> Bool {
    let staging = ModelStore.Staging(
      model: reservation.model, version: reservation.version, manifest: reservation.manifest,
      byteCount: Int(reservation.byteCount), release: reservation.release)
    do throws(StorageError) {
      return try store.reserve(staging)
    } catch .noSpace {
      try store.removePackedWeights()
      return try store.reserve(staging)
    }
  }

  private func performStorage(_ effect: DeliveryEffect) throws(StorageError) -> DeliveryEvent? {
    switch effect {
    case .persist(_, let record): try store.save(record)
    case .reserve(let reservation):
      return .reserved(model: reservation.model, isResumed: try reserve(reservation))
    case .hashStaged(let model, let blockByteCount):
      let blocks = try store.blockDigests(model, blockByteCount: blockByteCount)
      return .hashed(model: model, blocks: blocks)
    case .write(let model, let bytes, let offset): try store.write(model, bytes, at: offset)
    case .copyBlocks(let model, let version, let blocks, let blockByteCount):
      try store.copyBlocks(model, from: version, blocks: blocks, blockByteCount: blockByteCount)
    case .readBase(let model, let version, let offset, let count):
      let bytes = try store.read(
        .init(model: model, version: version), count: count, at: offset)
      let missing = count - bytes.count
      return .baseRead(
        model: model, offset: offset,
        bytes: missing == 0 ? bytes : bytes + [UInt8](repeating: 0, count: missing))
    case .assemble(let model, let bundle):
      try store.assemble(model, digest: bundle)
      return .assembled(model: model)
    case .discardStaged(let model): try store.discardStaging(model)
    case .collectGarbage(_, let inUse):
      try store.collectGarbage(
        keep: inUse.versions, staging: inUse.staging, untouched: inUse.untouched)
    case .subscribe, .unsubscribe, .verify, .activate, .observe, .readRelease,
      .acknowledge, .reconnect, .changeBroker, .requestSeed: break
    }
    return nil
  }
}

extension DeliveryEffect {
  /// The model and kind of an effect that can fail; nil for the others.
  fileprivate var storage: (model: String, kind: Kind)? {
    switch self {
    case .persist(let model, _): (model, .persist)
    case .reserve(let reservation): (reservation.model, .reserve)
    case .hashStaged(let model, _): (model, .hashStaged)
    case .write(let model, _, _): (model, .write)
    case .copyBlocks(let model, _, _, _): (model, .copyBlocks)
    case .readBase(let model, _, _, _): (model, .readBase)
    case .assemble(let model, _): (model, .assemble)
    case .discardStaged(let model), .collectGarbage(let model, _): (model, .collectGarbage)
    case .subscribe, .unsubscribe, .verify, .activate, .observe, .readRelease,
      .acknowledge, .reconnect, .changeBroker, .requestSeed: nil
    }
  }
}

extension StorageError {
  /// What the machine needs to know of the error.
  fileprivate var failure: StorageFailure {
    switch self {
    case .noSpace: .noSpace
    case .digestMismatch: .digestMismatch
    case .system, .invalidName, .invalidVersion, .invalidSize, .outsideReservation, .notStaged:
      .inputOutput
    }
  }
}
