/// The bounds of every JSON document.
package enum JSONLimits {
  /// Objects and arrays within one another.
  package static let depthMaximum = 32
  /// Bytes of a string that is read; longer ones can only be skipped.
  package static let stringBytesMaximum = 1 << 16
  /// Characters of one number.
  package static let numberBytesMaximum = 1024
}
