/// A step of an audio front end; the maker vouches for the pointers.
@safe package struct SignalArguments {
  package enum Step: Sendable {
    /// Operand 1: so many weights, for each row again.
    case window(shift: Int32, weights: Int)
    /// Result 1: the bits.
    case autoScale
    /// Of int16, or of int32 where it is wide. Operand 1: a `FixedPointTransform`'s table.
    case spectrum(FixedPointTransform, inputs: Int)
    /// As `spectrum`, whose rows are `2 · half + 2` codes, with a table of the opposite turns.
    case inverseSpectrum(FixedPointTransform)
    /// Of float32. Operand 1: `exp(−2πik / length)` for half the circle, as pairs of float64.
    case realSpectrum(length: Int, inputs: Int)
    case inverseRealSpectrum(length: Int)
    case energy(start: Int, end: Int)
    /// Operands 1 to 5: weights of both sides, and where each channel's frequencies and weights begin and how many
    /// they are.
    case filterBank
    /// Operand 1: the bits.
    case squareRoot
    /// Operand 1: the estimate so far. Result 1: the next one.
    case subtractNoise(NoiseWeights)
    /// Operands 1 and 2: the noise, and the table of gains.
    case gainControl(shift: UInt64)
    /// Operand 1: how much the binary logarithm of `1 + i / 128` is above `i / 128`, in 65536ths, int32 `[130]`.
    case logarithm(scale: UInt32, bits: UInt32)
    /// Operand 1: the sums so far. Result 1: those to go on with. The count is of rows of frames.
    case overlapAdd(OverlapSizes)
  }

  package var step: Step
  /// Elements of the first result; rows of a spectrum or of its inverse.
  package var count: Int
  package var operands: (
    UnsafeRawPointer, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?,
    UnsafeRawPointer?
  )
  package var results: (UnsafeMutableRawPointer, UnsafeMutableRawPointer?)
  /// Bytes of the calling thread: a row of a transform's complex numbers.
  package var scratch: UnsafeMutableRawPointer

  package init(
    step: Step, count: Int,
    operands: (
      UnsafeRawPointer, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?,
      UnsafeRawPointer?
    ), results: (UnsafeMutableRawPointer, UnsafeMutableRawPointer?),
    scratch: UnsafeMutableRawPointer
  ) {
    self.step = step
    self.count = count
    unsafe self.operands = operands
    unsafe self.results = results
    unsafe self.scratch = scratch
  }
}

/// Frames that overlap.
package struct OverlapSizes: Sendable {
  package var frames: Int
  /// Elements of a frame, and from one to the next.
  package var size: Int
  package var step: Int
  /// The elements are float32, else int16.
  package var isReal: Bool

  package init(frames: Int, size: Int, step: Int, isReal: Bool) {
    self.frames = frames
    self.size = size
    self.step = step
    self.isReal = isReal
  }
}

/// The fractions of a noise estimate; see `ModelGraph.NoiseSubtraction`.
package struct NoiseWeights: Sendable {
  /// For channels of even and of odd number.
  package var smoothing: SIMD2<UInt32>
  package var keeping: SIMD2<UInt32>
  package var minimumRemaining: UInt32
  package var smoothingBits: UInt32
  package var bits: UInt32
  package var clamps: Bool

  package init(
    smoothing: SIMD2<UInt32>, keeping: SIMD2<UInt32>, minimumRemaining: UInt32,
    smoothingBits: UInt32, bits: UInt32, clamps: Bool
  ) {
    self.smoothing = smoothing
    self.keeping = keeping
    self.minimumRemaining = minimumRemaining
    self.smoothingBits = smoothingBits
    self.bits = bits
    self.clamps = clamps
  }
}

/// A Fourier transform of real fixed-point numbers, as a complex one of half the length by steps of four and, where that
/// leaves a two, one of two.
package struct FixedPointTransform: Sendable {
  /// Complex numbers, a power of two and at least 2.
  package let half: Int
  /// The numbers have 31 bits behind the point, else 15.
  package let isWide: Bool

  package init(length: Int, isWide: Bool) {
    half = length / 2
    self.isWide = isWide
  }

  package var scratchBytes: Int { 2 * half * (isWide ? 4 : 2) }

  /// Places of the table, whose elements are int32: where each complex number comes from; then turns of the whole
  /// circle, and a quarter of those that split the spectrum, as pairs.
  package var turnsPlace: Int { half }
  package var splitPlace: Int { 3 * half }
  package var tableCount: Int { 4 * half }
}
