/// Average or maximum pooling of int8 codes; input and output share one quantisation.
///
/// Padding counts neither for the maximum nor for the average's divisor. The maker vouches for the pointers.
@safe package struct PoolingInt8Arguments {
  /// `inputChannels == outputChannels`.
  package var geometry: WindowGeometry
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int8>
  package var minimum: Int8
  package var maximum: Int8
  /// Means round half up, as those of codes without sign do, else half away from zero.
  package var roundsUp: Bool

  package init(
    geometry: WindowGeometry, input: UnsafePointer<Int8>, output: UnsafeMutablePointer<Int8>,
    minimum: Int8 = -128, maximum: Int8 = 127, roundsUp: Bool = false
  ) {
    self.roundsUp = roundsUp
    self.geometry = geometry
    unsafe self.input = input
    unsafe self.output = output
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// Average or maximum pooling of float32 values.
@safe package struct PoolingFloat32Arguments {
  /// `inputChannels == outputChannels`.
  package var geometry: WindowGeometry
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>
  package var bounds: OutputBoundsFloat32

  package init(
    geometry: WindowGeometry, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    bounds: OutputBoundsFloat32 = OutputBoundsFloat32()
  ) {
    self.geometry = geometry
    unsafe self.input = input
    unsafe self.output = output
    self.bounds = bounds
  }
}

/// A tensor seen as `[outer, reduced, inner]`, of which the middle axis is reduced.
package struct ReductionShape: Sendable, Equatable {
  package var outer: Int
  /// At least 1.
  package var reduced: Int
  package var inner: Int

  package init(outer: Int, reduced: Int, inner: Int) {
    self.outer = outer
    self.reduced = reduced
    self.inner = inner
  }
}

/// The mean of int8 codes: `clamp(round((Σ code − reduced · inputZeroPoint) · scale) + zeroPoint)`.
@safe package struct MeanInt8Arguments {
  package var shape: ReductionShape
  package var input: UnsafePointer<Int8>
  package var inputZeroPoint: Int32
  /// `inputScale / outputScale`, divided by `reduced`.
  package var scale: FixedPointScale
  package var bounds: OutputBoundsInt8
  package var output: UnsafeMutablePointer<Int8>

  package init(
    shape: ReductionShape, input: UnsafePointer<Int8>, inputZeroPoint: Int32,
    scale: FixedPointScale, bounds: OutputBoundsInt8, output: UnsafeMutablePointer<Int8>
  ) {
    self.shape = shape
    unsafe self.input = input
    self.inputZeroPoint = inputZeroPoint
    self.scale = scale
    self.bounds = bounds
    unsafe self.output = output
  }
}

/// The mean of float32 values.
@safe package struct MeanFloat32Arguments {
  package var shape: ReductionShape
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>

  package init(
    shape: ReductionShape, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    self.shape = shape
    unsafe self.input = input
    unsafe self.output = output
  }
}
