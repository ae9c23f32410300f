import Cryptography
import ModelBundle
import SignedDocuments

/// From the decision to fetch to the version in the store.
extension ModelMachine {
  /// Takes in whether a stored version is there and whole.
  mutating func verified(
    version: Int64, isWhole: Bool, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    switch phase {
    case .starting(let stored):
      guard stored.first?.version == version else { return [] }
      if isWhole { return [.activate(model: model, version: version, proof: .init())] }
      return startFailed(isDamaged: true, &context, now)
    case .looking(let offer):
      guard offer.version == version else { return [] }
      if isWhole { return activate(offer, context) }
      return plan(offer, &context, now)
    case .idle, .refused, .waiting:
      return scrubbed(version: version, isWhole: isWhole, &context, now)
    default: return []
    }
  }

  /// Asks for the offer's object, unless the link may not carry it.
  mutating func plan(_ offer: Offer, _ context: inout DeliveryContext, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    if let own = context.profile.meteredBytes, !context.isAttached,
      offer.source.object.encodedBytes > director?.meteredBytes ?? own
    {
      return refuse(.metered) + [collectGarbage]
    }
    phase = .planned(offer)
    return ask(&context, now)
  }

  /// Takes in whether the current version is still whole on the disk.
  private mutating func scrubbed(
    version: Int64, isWhole: Bool, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard !isWhole, version == record.current?.version else { return [] }
    // It serves on from memory, and is fetched again where the director still wants it.
    record.current = nil
    endTrial()
    cause = .blockHash
    return [persist] + evaluate(&context, now)
  }

  /// Takes in the message on the topic of the object's index.
  mutating func indexed(
    _ bytes: [UInt8], objectID: String, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard case .planned(let offer) = phase, offer.source.object.objectID == objectID,
      !bytes.isEmpty
    else { return [] }
    let release = offer.release
    let index: ObjectIndex
    do {
      index = try ObjectIndex(
        bytes, objectID: objectID, blockListSHA256: release.blockListSHA256,
        blockCount: release.blockCount)
    } catch {
      cause = .indexHash
      return []
    }
    let effects = abandon(context)
    cause = nil
    phase = .reserving(offer, index)
    let reservation = DeliveryEffect.Reservation(
      model: model, version: offer.version, manifest: offer.manifest,
      byteCount: release.rawSize, release: offer.message)
    return effects + [collectGarbage, .reserve(reservation)]
  }

  /// Takes in that space is set aside.
  mutating func reserved(
    isResumed: Bool, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard case .reserving(let offer, let index) = phase else { return [] }
    let blocks = index.blockCount
    let copies = offer.source.base == nil ? [] : (0..<blocks).filter(index.isCopy)
    guard isResumed || !copies.isEmpty else {
      return begin(Fetch(offer, index, missing: Array(0..<blocks)), &context, now)
    }
    var effects: [DeliveryEffect] = []
    if let base = offer.source.base, !copies.isEmpty {
      effects.append(
        .copyBlocks(
          model: model, version: base.version, blocks: copies,
          blockByteCount: offer.release.blockSize))
    }
    // What was copied is checked as what an earlier attempt left.
    return effects + [.hashStaged(model: model, blockByteCount: offer.release.blockSize)]
  }

  /// Takes in the hashes of what an earlier attempt left.
  mutating func hashed(
    _ blocks: [Digest], _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard case .reserving(let offer, let index) = phase, blocks.count == index.blockCount else {
      return []
    }
    let missing = blocks.indices.filter { blocks[$0] != index.rawDigest($0) }
    return begin(Fetch(offer, index, missing: missing), &context, now)
  }

  private mutating func begin(
    _ fetch: Fetch, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    phase = .fetching
    self.fetch = fetch
    if fetch.failedCopy != nil { return takeAnotherSource(&context, now) }
    return fetch.isComplete ? assemble() : openWindow(&context, now)
  }

  /// Takes in a block.
  mutating func received(
    block: Int, objectID: String, _ payload: [UInt8], _ context: inout DeliveryContext,
    _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard phase == .fetching, let fetch, fetch.offer.source.object.objectID == objectID,
      fetch.window.contains(block), !payload.isEmpty
    else { return [] }
    self.fetch?.came(payload.count)
    guard let base = fetch.offer.source.base,
      BlockMethod(rawValue: payload[0])?.needsBase == true,
      fetch.index.isEncoded(payload, block: block)
    else { return decode(payload, block: block, base: nil, &context, now) }
    self.fetch?.undecoded = (block, payload)
    let release = fetch.offer.release
    return [
      .readBase(
        model: model, version: base.version, offset: block * release.blockSize,
        count: release.rawByteCount(ofBlock: block))
    ]
  }

  /// Takes in the base of the block that waits for it.
  mutating func baseRead(
    _ bytes: [UInt8], offset: Int, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard phase == .fetching, let fetch, let (block, payload) = fetch.undecoded,
      offset == block * fetch.offer.release.blockSize,
      bytes.count == fetch.offer.release.rawByteCount(ofBlock: block)
    else { return [] }
    self.fetch?.undecoded = nil
    return decode(payload, block: block, base: bytes, &context, now)
  }

  private mutating func decode(
    _ payload: [UInt8], block: Int, base: [UInt8]?, _ context: inout DeliveryContext,
    _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard let fetch else { return [] }
    let release = fetch.offer.release
    let raw: [UInt8]
    do {
      raw = try fetch.index.decode(
        payload, block: block, rawByteCount: release.rawByteCount(ofBlock: block), base: base,
        with: decoder)
    } catch {
      cause = .blockHash
      // What the publisher made of another base than the one here will never decode.
      if base != nil { return takeAnotherSource(&context, now) }
      self.fetch?.hasBadBlock = true
      return []
    }
    return write(raw, block: block, &context, now)
  }

  private mutating func write(
    _ raw: [UInt8], block: Int, _ context: inout DeliveryContext, _ now: DeliveryTime
  ) -> [DeliveryEffect] {
    guard let fetch else { return [] }
    let release = fetch.offer.release
    var effects = [
      DeliveryEffect.write(model: model, bytes: raw, offset: block * release.blockSize)
    ]
    self.fetch?.received(block)
    self.fetch?.retry.succeed()
    if fetch.window.count == 1 {
      effects += closeWindow(context)
      effects += self.fetch?.isComplete == true ? assemble() : openWindow(&context, now)
    } else {
      waitForWindow(&context, now)
    }
    return effects
  }

  /// Asks for the next blocks.
  mutating func openWindow(_ context: inout DeliveryContext, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    guard context.isConnected, fetch != nil else { return [] }
    if context.isBrokerConnected { fetch?.beginPace(now) }
    fetch?.openWindow()
    waitForWindow(&context, now)
    return [.subscribe(windowTopics(context))]
  }

  private mutating func closeWindow(_ context: DeliveryContext) -> [DeliveryEffect] {
    let topics = windowTopics(context)
    if fetch?.hasBadBlock == false { cause = nil }
    fetch?.closeWindow()
    return [.unsubscribe(topics)]
  }

  private mutating func waitForWindow(_ context: inout DeliveryContext, _ now: DeliveryTime) {
    let timing = context.profile.timing
    fetch?.retry.wait(
      from: now, minimum: timing.askMinimum, maximum: timing.maximum, &context.jitter)
  }

  /// Asks for what did not come again, last; waits longer each time that nothing came.
  mutating func windowTimedOut(_ context: inout DeliveryContext, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    guard let fetch else { return [] }
    if fetch.hasBadBlock {
      cause = .blockHash
    } else if !fetch.hasProgressed {
      cause = .truncated
    }
    if fetch.offer.source.base != nil, fetch.retry.count >= DeliveryLimits.deltaWaits {
      return takeAnotherSource(&context, now)
    }
    let topics = windowTopics(context)
    let silentWaits =
      fetch.hasProgressed || !context.isBrokerConnected ? 0 : fetch.retry.count
    self.fetch?.closeWindow()
    var effects: [DeliveryEffect] = [.unsubscribe(topics)]
    if silentWaits >= DeliveryLimits.seedWaits {
      effects.append(.requestSeed(objectID: fetch.offer.source.object.objectID))
    }
    effects += openWindow(&context, now)
    return silentWaits >= DeliveryLimits.brokerWaits ? effects + [.changeBroker] : effects
  }

  /// Drops a connection over which too little comes; what came is kept.
  mutating func judgePace(_ now: DeliveryTime) -> [DeliveryEffect] {
    guard fetch?.takePace(now) == false else { return [] }
    cause = .slowTransfer
    return [.reconnect]
  }

  /// The topics of the blocks asked for.
  func windowTopics(_ context: DeliveryContext) -> [String] {
    guard let fetch else { return [] }
    return fetch.subscribed.map {
      Topic.block(fleet: context.fleet, objectID: fetch.offer.source.object.objectID, block: $0)
        .name
    }
  }

  private mutating func assemble() -> [DeliveryEffect] {
    guard let fetch else { return [] }
    phase = .assembling(fetch.offer)
    self.fetch = nil
    return [.assemble(model: model, bundle: fetch.offer.release.bundleSHA256)]
  }
}
