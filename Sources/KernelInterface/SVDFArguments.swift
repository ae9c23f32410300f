/// The extents of a layer over features and time.
package struct SVDFSizes: Sendable, Equatable {
  package var batches: Int
  package var inputs: Int
  package var units: Int
  /// Filters of each unit.
  package var rank: Int
  /// Moments that the state holds.
  package var memory: Int

  package init(batches: Int, inputs: Int, units: Int, rank: Int, memory: Int) {
    self.batches = batches
    self.inputs = inputs
    self.units = units
    self.rank = rank
    self.memory = memory
  }

  package var filters: Int { units * rank }
}

/// A float32 layer over features and time; the maker vouches for the pointers.
@safe package struct SVDFFloat32Arguments {
  package var sizes: SVDFSizes
  package var bounds: OutputBoundsFloat32
  /// `[filters, inputs]`; nil where the input is the features `[batches, filters]`.
  package var featureWeights: UnsafePointer<Float>?
  /// `[filters, memory]`.
  package var timeWeights: UnsafePointer<Float>
  package var bias: UnsafePointer<Float>?
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>
  /// `[batches, filters, memory]`: as it was, and as it becomes.
  package var oldState: UnsafePointer<Float>
  package var newState: UnsafeMutablePointer<Float>

  package init(
    sizes: SVDFSizes, bounds: OutputBoundsFloat32, featureWeights: UnsafePointer<Float>?,
    timeWeights: UnsafePointer<Float>, bias: UnsafePointer<Float>?, input: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, oldState: UnsafePointer<Float>,
    newState: UnsafeMutablePointer<Float>
  ) {
    self.sizes = sizes
    self.bounds = bounds
    unsafe self.featureWeights = featureWeights
    unsafe self.timeWeights = timeWeights
    unsafe self.bias = bias
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.oldState = oldState
    unsafe self.newState = newState
  }
}

/// An int8 layer over features and time, its state in 8 or 16 bits; the maker vouches for the pointers.
@safe package struct SVDFInt8Arguments {
  package var sizes: SVDFSizes
  package var bounds: OutputBoundsInt8
  package var inputZeroPoint: Int32
  package var stateZeroPoint: Int32
  /// From feature sums to state codes.
  package var featureScale: FixedPointScale
  /// From sums over time to output codes.
  package var timeScale: FixedPointScale
  /// State and weights of time have 16 bits, else 8.
  package var hasWideState: Bool
  /// `[filters, inputs]`.
  package var featureWeights: UnsafePointer<Int8>
  /// `[filters, memory]`.
  package var timeWeights: UnsafeRawPointer
  package var bias: UnsafePointer<Int32>?
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int8>
  /// `[batches, filters, memory]`: as it was, and as it becomes.
  package var oldState: UnsafeRawPointer
  package var newState: UnsafeMutableRawPointer

  package init(
    sizes: SVDFSizes, bounds: OutputBoundsInt8, inputZeroPoint: Int32, stateZeroPoint: Int32,
    featureScale: FixedPointScale, timeScale: FixedPointScale, hasWideState: Bool,
    featureWeights: UnsafePointer<Int8>, timeWeights: UnsafeRawPointer,
    bias: UnsafePointer<Int32>?, input: UnsafePointer<Int8>,
    output: UnsafeMutablePointer<Int8>, oldState: UnsafeRawPointer,
    newState: UnsafeMutableRawPointer
  ) {
    self.sizes = sizes
    self.bounds = bounds
    self.inputZeroPoint = inputZeroPoint
    self.stateZeroPoint = stateZeroPoint
    self.featureScale = featureScale
    self.timeScale = timeScale
    self.hasWideState = hasWideState
    unsafe self.featureWeights = featureWeights
    unsafe self.timeWeights = timeWeights
    unsafe self.bias = bias
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.oldState = oldState
    unsafe self.newState = newState
  }
}
