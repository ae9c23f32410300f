package import Cryptography

/// What happened, as far as delivery is concerned.
package enum DeliveryEvent: Sendable, Equatable {
  /// The agent has started; comes first, and once.
  case started
  case connected
  case disconnected
  /// The broker of the next connection, by its place among several; a device that has but one does
  /// not tell.
  case broker(Int)
  /// A file is there that answers subscriptions as a broker would, beside the broker or alone.
  case attached
  case detached
  case message(topic: String, payload: [UInt8])
  /// Time has passed.
  case tick
  /// Whether a stored version is there and whole.
  case verified(model: String, version: Int64, isWhole: Bool)
  /// Space is set aside; `isResumed` when an earlier attempt's blocks may be there.
  case reserved(model: String, isResumed: Bool)
  /// The hashes of the staged blocks.
  case hashed(model: String, blocks: [Digest])
  /// Bytes of an installed version's bundle.
  case baseRead(model: String, offset: Int, bytes: [UInt8])
  /// The version lies in the store, durable.
  case assembled(model: String)
  /// The version serves, or why it does not.
  case activated(model: String, version: Int64, failure: Cause?)
  /// What is known of a version that serves.
  case observed(model: String, version: Int64, observation: VersionObservation)
  /// The signed release message of a stored version.
  case releaseRead(model: String, message: [UInt8])
  /// The agent is about to end in order; comes last.
  case stopping
  /// A storage effect failed; the effects after it that concern the same model were not done.
  case failed(model: String, effect: DeliveryEffect.Kind, failure: StorageFailure)
}

/// How storage failed, in so far as it changes what is done next.
package enum StorageFailure: Sendable, Equatable {
  case noSpace
  /// The whole bundle's hash is not the signed one.
  case digestMismatch
  case inputOutput
}
