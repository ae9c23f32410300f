import SignedDocuments

/// From which of a release's objects the blocks are fetched.
extension ModelMachine {
  /// The smallest object that can be decoded with what is installed.
  func source(for release: ReleaseDocument) -> ObjectSource {
    let installed = [record.current, record.previous].compactMap(\.self)
    let deltas = release.deltas.compactMap { delta -> ObjectSource? in
      guard delta.object.encodedBytes < release.full.encodedBytes,
        !givenUp.contains(delta.object.objectID),
        let base = installed.first(where: { $0.bundle == delta.baseSHA256 })
      else { return nil }
      return ObjectSource(object: delta.object, base: base)
    }
    return deltas.min { $0.object.encodedBytes < $1.object.encodedBytes }
      ?? ObjectSource(object: release.full, base: nil)
  }

  /// The offer that is being fetched, or about to be.
  var phaseOffer: Offer? {
    switch phase {
    case .planned(let offer), .reserving(let offer, _): offer
    case .fetching: fetch?.offer
    default: nil
    }
  }

  /// Whether the index of a delta was asked for often enough.
  var isDeltaSilent: Bool {
    guard case .planned(let offer) = phase else { return false }
    return offer.source.base != nil && asking.count >= DeliveryLimits.deltaWaits
  }

  /// Gives the delta up and asks for the next best object; the blocks that are staged stay.
  mutating func takeAnotherSource(_ context: inout DeliveryContext, _ now: DeliveryTime)
    -> [DeliveryEffect]
  {
    guard var offer = phaseOffer else { return [] }
    givenUp.insert(offer.source.object.objectID)
    offer.source = source(for: offer.release)
    return abandon(context) + plan(offer, &context, now)
  }
}
