/// A step of an audio front end in fixed point.
///
/// - Source: the signal library of TensorFlow Lite for Microcontrollers, whose integers each step gives.
package enum Signal: Sendable, Equatable {
  /// `input · weights >> shift`, saturated. Inputs: int16 `[…, n]` and `[n]`. Output: as the input.
  case window(shift: Int)
  /// As many bits to the left as lose nothing. Input: int16 `[n]`. Outputs: the same, and the bits, an int32 scalar.
  case autoScale
  /// The Fourier transform, of integers scaled by the inverse of its length. Input: int16, int32 or float32 `[…, n]`,
  /// filled up with zeros to `length`, a power of two. Output: `[…, length + 2]`, pairs of the frequencies from 0 on.
  case spectrum(length: Int)
  /// What has such a spectrum; that of integers, scaled by the inverse of its length, too. Input: int16, int32 or
  /// float32 `[…, length + 2]`. Output: `[…, length]`.
  case inverseSpectrum(length: Int)
  /// The squares of magnitudes of the frequencies from `start` to before `end`, and 0 for others. Input: int16
  /// `[2 · n]`. Output: uint32 `[n]`.
  case energy(start: Int, end: Int)
  /// Sums over triangles, of which two overlap everywhere. Inputs: uint32 `[n]`; weights of rising and of falling
  /// sides, int16 `[w]` each; and for each of the channels and one before them where its frequencies and its weights
  /// begin and how many they are, int16 `[channels + 1]` each, all known. Output: uint64 `[channels]`.
  case filterBank(channels: Int)
  /// Rounded roots, shifted to the right. Inputs: uint64 `[n]`, and the bits, an int32 scalar. Output: uint32 `[n]`.
  case squareRoot
  /// Inputs: uint32 `[n]`, and the estimate of noise so far. Outputs: what is left of the input, and the next estimate.
  case subtractNoise(NoiseSubtraction)
  /// A gain that noise lowers. Inputs: uint32 `[n]`; the noise; and a known table of gains, int16. Output: as the input.
  case gainControl(shift: Int)
  /// `scale · ln(input · 2^bits)`, 0 below 2. Input: uint32 `[n]`. Output: int16 `[n]`.
  case logarithm(scale: Int, bits: Int)
  /// Sums of frames that lie `step` apart. Inputs: int16 or float32 `[…, frames, n]`, and the sums so far `[…, n]`.
  /// Outputs: `[…, frames · step]`, sums of int16 saturated, and the sums to go on with.
  case overlapAdd(step: Int)

  /// Elements that a table of gains has: three for each power of two, and those of 0, 1 and 2.
  package static let gainTableCount = 125

  package var name: String {
    switch self {
    case .window: "window"
    case .autoScale: "autoScale"
    case .spectrum: "fixedPointSpectrum"
    case .inverseSpectrum: "inverseSpectrum"
    case .energy: "energy"
    case .filterBank: "filterBank"
    case .squareRoot: "filterBankSquareRoot"
    case .subtractNoise: "subtractNoise"
    case .gainControl: "gainControl"
    case .logarithm: "filterBankLogarithm"
    case .overlapAdd: "overlapAdd"
    }
  }

  package var resultCount: Int {
    switch self {
    case .autoScale, .subtractNoise, .overlapAdd: 2
    default: 1
    }
  }
}

/// How an estimate of noise follows its signal. Fractions have `bits` bits behind the point.
package struct NoiseSubtraction: Sendable, Equatable {
  /// The weight of the newest value, and of the estimate so far, in channels of even number.
  package var smoothing: UInt32
  package var keeping: UInt32
  /// The same for channels of odd number.
  package var oddSmoothing: UInt32
  package var oddKeeping: UInt32
  /// The share of the signal that always stays.
  package var minimumRemaining: UInt32
  /// Bits by which the estimate is finer than the signal.
  package var smoothingBits: UInt32
  package var bits: UInt32
  /// The estimate never stays above the signal.
  package var clamps: Bool

  package init(
    smoothing: UInt32, keeping: UInt32, oddSmoothing: UInt32, oddKeeping: UInt32,
    minimumRemaining: UInt32, smoothingBits: UInt32, bits: UInt32, clamps: Bool
  ) {
    self.smoothing = smoothing
    self.keeping = keeping
    self.oddSmoothing = oddSmoothing
    self.oddKeeping = oddKeeping
    self.minimumRemaining = minimumRemaining
    self.smoothingBits = smoothingBits
    self.bits = bits
    self.clamps = clamps
  }
}
