package import Tensors

/// How elements are folded into one.
package enum ReductionOperation: Sendable, Equatable, CaseIterable {
  case mean, sum, product, minimum, maximum, any, all
}

/// Folds the middle axis; the maker vouches for the pointers.
@safe package struct ReductionArguments {
  package var operation: ReductionOperation
  package var type: DataType
  package var shape: ReductionShape
  package var inputScheme: CodeScheme
  package var outputScheme: CodeScheme
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    operation: ReductionOperation, type: DataType, shape: ReductionShape,
    inputScheme: CodeScheme, outputScheme: CodeScheme, input: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.operation = operation
    self.type = type
    self.shape = shape
    self.inputScheme = inputScheme
    self.outputScheme = outputScheme
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// The index of the first greatest or least element of the middle axis.
@safe package struct ArgumentArguments {
  package var isMaximum: Bool
  package var type: DataType
  package var shape: ReductionShape
  /// int32 or int64.
  package var outputType: DataType
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    isMaximum: Bool, type: DataType, shape: ReductionShape, outputType: DataType,
    input: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.isMaximum = isMaximum
    self.type = type
    self.shape = shape
    self.outputType = outputType
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Running sums along the middle axis.
@safe package struct CumulativeSumArguments {
  package var isExclusive: Bool
  package var isReversed: Bool
  /// float32, int32 or int64.
  package var type: DataType
  package var shape: ReductionShape
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    isExclusive: Bool, isReversed: Bool, type: DataType, shape: ReductionShape,
    input: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.isExclusive = isExclusive
    self.isReversed = isReversed
    self.type = type
    self.shape = shape
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Each row of float32 values through one function of the whole row.
@safe package struct NormalizeRowsArguments {
  /// Logarithm of softmax, else division by the length of the row.
  package var isLogSoftmax: Bool
  package var columns: Int
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>

  package init(
    isLogSoftmax: Bool, columns: Int, input: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>
  ) {
    self.isLogSoftmax = isLogSoftmax
    self.columns = columns
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Each row of float32 values brought to mean 0 and variance 1: with `s = γ / √(variance + ε)`, `x · s + (β − mean · s)`
/// or `(x − mean) · s + β`.
@safe package struct LayerNormalizationArguments {
  package var epsilon: Float
  package var subtractsMeanFirst: Bool
  /// At least 1.
  package var columns: Int
  package var input: UnsafePointer<Float>
  /// γ, one for each column, or nil for ones.
  package var factors: UnsafePointer<Float>?
  /// β, one for each column, or nil for zeros.
  package var offsets: UnsafePointer<Float>?
  package var output: UnsafeMutablePointer<Float>

  package init(
    epsilon: Float, subtractsMeanFirst: Bool, columns: Int, input: UnsafePointer<Float>,
    factors: UnsafePointer<Float>?, offsets: UnsafePointer<Float>?,
    output: UnsafeMutablePointer<Float>
  ) {
    self.epsilon = epsilon
    self.subtractsMeanFirst = subtractsMeanFirst
    self.columns = columns
    unsafe self.input = input
    unsafe self.factors = factors
    unsafe self.offsets = offsets
    unsafe self.output = output
  }
}
