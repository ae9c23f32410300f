/// What an array file may hold at most.
enum NumPyLimits {
  /// Bytes of the dictionary before the elements.
  static let headerBytesMaximum = 1 << 16
}
