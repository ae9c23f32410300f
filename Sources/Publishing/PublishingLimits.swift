import SignedDocuments

/// The bounds of publishing.
package enum PublishingLimits {
  /// Messages sent but not acknowledged.
  package static let window = 16
  /// Milliseconds without an acknowledgement after which a publication is given up.
  package static let stallMilliseconds = 30_000
  /// Milliseconds that a broker gets to accept the connection.
  package static let connectMilliseconds = 10_000
  /// New connections in one publication after one was lost.
  package static let reconnections = 6
  /// Milliseconds between two attempts at most.
  package static let backoffMilliseconds = 5_000
  /// Milliseconds of silence after which a retained topic counts as empty.
  package static let silenceMilliseconds = 1_000
  /// Blocks of an object that are read back after publishing, unless all are.
  package static let sampledBlocks = 16
  /// Messages that are read back at once.
  package static let readWindow = 8
  /// A delta is published when it has fewer than so many percent of the full object's bytes.
  package static let deltaPercent: Int64 = 70
  /// Bytes of a bundle from which on its blocks have 128 KiB.
  package static let largeBundleBytes = 8 << 20
  /// Holders of the root: the old and the new of a rotation fit the signatures of one message.
  package static let rootHolders = DocumentLimits.signatures / 2
  /// Bytes of a file with keys or documents that is read.
  package static let fileBytes = 1 << 20
}
