/// Every bound of the delivery protocol on a device, in one place.
package enum DeliveryLimits {
  /// Models that one device takes delivery of; their records fit one slot of the state file.
  package static let models = 8
  /// Activations of one release before it is refused until the director speaks again.
  package static let attempts: Int64 = 3
  /// Waits without a message after which a delta is given up for another object.
  package static let deltaWaits = 3
  /// Waits without a message after which the publisher is told that the broker lacks something.
  package static let seedWaits = 2
  /// Waits without a message after which another broker is asked, where there is one.
  package static let brokerWaits = 4
  /// Blocks asked for at once; fewer of the larger sizes.
  package static let window = 8
  /// Bytes of the blocks asked for at once, as they come: a window of blocks of 64 KiB, or two of
  /// the largest.
  package static let windowBytes = window * (64 * 1024 + encodedBlockSlackBytes)

  /// Blocks of `blockSize` bytes asked for at once.
  package static func window(blockSize: Int) -> Int {
    min(window, max(1, windowBytes / (blockSize + encodedBlockSlackBytes)))
  }

  /// Milliseconds in which at least `paceBytes` must come while blocks are asked for.
  package static let paceMilliseconds: Int64 = 600_000
  /// Encoded bytes: about a hundred a second.
  package static let paceBytes: Int64 = 60_000
  /// Milliseconds between two checks of what is installed against bits that flip: a week.
  package static let scrubMilliseconds: Int64 = 7 * 86_400_000
  /// Seconds after which it is looked again whether a hold is over, at least: a clock may be set.
  package static let holdLookSeconds: Int64 = 3600
  /// Bytes of the largest bundle that is fetched.
  package static let bundleBytes: Int64 = 1 << 30
  /// Bytes of a signed message.
  package static let messageBytes = 32 * 1024
  /// Bytes by which an encoded block may be larger than its raw bytes.
  package static let encodedBlockSlackBytes = 1024
}

/// How long the machine waits, in milliseconds.
package struct DeliveryTiming: Sendable, Equatable {
  /// For what was asked of the broker, before it is asked again.
  package var askMinimum: Int64 = 5_000
  /// After storage or activation trouble, before the next attempt.
  package var retryMinimum: Int64 = 5_000
  /// The longest of either, reached by doubling.
  package var maximum: Int64 = 300_000

  package init() {}
}
