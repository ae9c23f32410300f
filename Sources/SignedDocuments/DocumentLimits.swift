/// The largest of everything that a document may hold.
package enum DocumentLimits {
  /// Bytes of a signed message.
  package static let messageBytes = 32 * 1024
  /// Signatures on one message.
  package static let signatures = 16
  /// Bytes of a fleet, model or device name.
  package static let tokenBytes = 64
  /// Bytes of free text, as the text of a version.
  package static let textBytes = 128
  /// Bytes of a file name inside a bundle.
  package static let fileNameBytes = 64
  /// Keys of a root document.
  package static let keys = 32
  /// Files of a bundle.
  package static let files = 16
  /// Deltas of a release.
  package static let deltas = 16
  /// Cohort labels of a director document.
  package static let cohortLabels = 32
  /// Bytes of a director document's salt.
  package static let saltBytes = 32
  /// Bytes of a bundle; all sizes in documents are bounded by it.
  package static let rawBytes: Int64 = 1 << 36
  /// Blocks of an object, so that its index of 48 bytes a block fits one message.
  package static let blocks: Int64 = 5461
  /// The exponents of a block's size: 16 KiB to 256 KiB.
  package static let blockSizeLog2: ClosedRange<Int64> = 14...18
  /// Characters of an object's identifier.
  package static let objectIDCharacters = 22
  /// Seconds since 1970 up to the year 9999.
  package static let time: ClosedRange<Int64> = 0...253_402_300_799
  /// Bytes of a status or birth payload.
  package static let statusBytes = 4096
}
