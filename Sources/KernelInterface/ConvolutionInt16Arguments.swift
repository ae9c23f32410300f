/// An int16 convolution, depthwise convolution or fully connected layer with int8 weights.
///
/// `output = clamp(((Σ weight · input + bias) · multiplier + half) >> shift)`, in 64 bits. The maker vouches for the
/// pointers.
@safe package struct ConvolutionInt16Arguments {
  /// Output channels of one panel of weights.
  package static var channels: Int { 16 }
  /// Output pixels of one tile.
  package static var rows: Int { 4 }

  package var geometry: WindowGeometry
  package var input: UnsafePointer<Int16>
  /// Convolution: what `packed` gives. Depthwise: `[taps][outputChannels]`.
  package var weights: UnsafePointer<Int8>
  /// These three: one for each output channel, rounded up to whole panels.
  package var bias: UnsafePointer<Int64>
  /// Not negative.
  package var multipliers: UnsafePointer<Int32>
  /// 1 … 62.
  package var shifts: UnsafePointer<Int32>
  package var minimum: Int16
  package var maximum: Int16
  package var output: UnsafeMutablePointer<Int16>
  /// `convolutionScratchBytes` or `depthwiseScratchBytes`, one for each concurrent call.
  package var scratch: UnsafeMutableRawPointer

  package init(
    geometry: WindowGeometry, input: UnsafePointer<Int16>, weights: UnsafePointer<Int8>,
    bias: UnsafePointer<Int64>, multipliers: UnsafePointer<Int32>, shifts: UnsafePointer<Int32>,
    minimum: Int16, maximum: Int16, output: UnsafeMutablePointer<Int16>,
    scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    unsafe self.input = input
    unsafe self.weights = weights
    unsafe self.bias = bias
    unsafe self.multipliers = multipliers
    unsafe self.shifts = shifts
    self.minimum = minimum
    self.maximum = maximum
    unsafe self.output = output
    unsafe self.scratch = scratch
  }

  package static func convolutionScratchBytes(_ geometry: WindowGeometry) -> Int {
    rows * channels * 8 + rows * ((geometry.depth + 1) / 2 * 2) * 2
  }

  package static func depthwiseScratchBytes(_ geometry: WindowGeometry) -> Int {
    geometry.outputChannels * 4
  }

  /// The weights `[outputChannels][depth]` of a convolution in panels: `[depth / 2][channels][2]`, padded with zeros.
  package static func packed(_ weights: [Int8], outputChannels: Int, depth: Int) -> [Int8] {
    let pairs = (depth + 1) / 2
    let panels = (outputChannels + channels - 1) / channels
    var packed = [Int8](repeating: 0, count: panels * pairs * 2 * channels)
    for channel in 0..<outputChannels {
      let panel = channel / channels * pairs * 2 * channels
      for k in 0..<depth {
        packed[panel + (k / 2 * channels + channel % channels) * 2 + k % 2] =
          weights[channel * depth + k]
      }
    }
    return packed
  }
}

/// How a 64-bit sum becomes an int16 code: a multiplier and one rounding shift.
///
/// The reference takes 15 bits of the multiplier for convolutions, all 31 for fully connected layers.
///
/// - Source: `MultiplyByQuantizedMultiplier` of TensorFlow Lite for 64-bit values.
package struct OutputScaleInt16: Sendable, Equatable, BitwiseCopyable {
  package var multiplier: Int32
  package var shift: Int32

  /// - Parameter isNarrow: false keeps 31 bits of the multiplier.
  /// - Precondition: the ratio is finite and not negative.
  package init(_ ratio: Double, isNarrow: Bool) {
    let fixed = FixedPointScale(ratio)
    guard isNarrow || !(1...62).contains(31 - fixed.exponent) else {
      multiplier = fixed.multiplier
      shift = Int32(31 - fixed.exponent)
      return
    }
    let shift = 15 - fixed.exponent
    // Beyond these a code is 0, or every code saturates.
    guard (1...62).contains(shift) else {
      multiplier = shift > 62 ? 0 : 0x7FFF
      self.shift = shift > 62 ? 62 : 1
      return
    }
    multiplier =
      fixed.multiplier < 0x7FFF_0000 ? (fixed.multiplier + (1 << 15)) >> 16 : 0x7FFF
    self.shift = Int32(shift)
  }
}
