/// What a model file may hold at most; all far beyond any model that fits a device.
enum TFLiteLimits {
  static let tensorsMaximum = 1 << 16
  static let operatorsMaximum = 1 << 16
  static let operatorCodesMaximum = 1 << 12
  static let buffersMaximum = 1 << 17
  static let subgraphsMaximum = 1 << 12
  /// Operators of all subgraphs, each counted wherever it is used.
  static let expandedOperatorsMaximum = operatorsMaximum
  /// Subgraphs that use one another, one within the other.
  static let subgraphDepthMaximum = 16
  static let signaturesMaximum = 1 << 10
  static let metadataMaximum = 1 << 10
  /// Inputs and outputs of the model, and names in one signature.
  static let endpointsMaximum = 1 << 12
  /// Output channels with a scale of their own.
  static let scalesMaximum = 1 << 20
  /// Segments or indices of one axis of a tensor stored without its zeros.
  static let sparseIndicesMaximum = 1 << 26
  /// Elements for each one stored of a tensor stored without its zeros.
  static let sparseExpansionMaximum = 256
  /// Elements of a shape or of a list of axes; higher ranks are refused later, with their rank.
  static let extentsMaximum = 64
  /// Moments of a sequence whose operators are written out one after the other.
  static let unrolledStepsMaximum = 1 << 10
  /// Samples that an operator on streams keeps or gives at once, in one row.
  static let samplesMaximum = 1 << 20
  /// Bytes that are read of the oldest runtime's version.
  static let runtimeVersionBytesMaximum = 64
}
