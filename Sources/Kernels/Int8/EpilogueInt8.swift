import CVector
import KernelInterface

/// What happens to the int32 accumulators of a tile before they leave the registers.
///
/// A tile is stored with `store`, row by row, from its registers. One with a value that float32 could have rounded to
/// the other of two codes is then stored again, from memory, so that no register of the tile has to outlive a call.
protocol EpilogueInt8 {
  associatedtype Output
  /// What a panel's header holds, in the form that sums are finished with.
  associatedtype Constants

  /// Elements from one output pixel to the next.
  var rowStride: Int { get }

  /// The code that stands for zero in an image, which padding is filled with.
  func paddingCode(image: Int) -> Int8

  /// Told of the windows that are multiplied next, before their tiles are stored; see `Windows.table`.
  @unsafe mutating func begin(
    firstRow: Int, rows: Int, table: UnsafePointer<UnsafePointer<cv_activation>>)

  /// What the accumulators of a panel's 16 channels begin with.
  @unsafe func start(_ header: UnsafeRawPointer) -> SIMD16<Int32>

  /// - Parameter header: three rows of 16 words: int32 offset, float32 scale, float32 bias or tie offset.
  @unsafe func constants(_ header: UnsafeRawPointer) -> Constants

  /// Where channel `channel` of output pixel `row` of the whole batch goes.
  @unsafe func place(row: Int, channel: Int) -> UnsafeMutablePointer<Output>

  /// Finishes 16 accumulators of one output pixel and writes the first `count` of them.
  ///
  /// - Parameters:
  ///   - row: output pixel of the whole batch.
  ///   - place: that of the first accumulator.
  ///   - count: 1 … 16.
  ///   - constants: those of the panel.
  ///   - farthest: the greatest distance of a value from its code in the tile so far.
  @unsafe func store(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Output>, count: Int,
    _ constants: Constants, farthest: inout SIMD16<Float>)

  /// Whether a tile must be stored again.
  func hasTie(_ farthest: SIMD16<Float>) -> Bool

  /// Writes again, in the reference's own integers, what float32 leaves in doubt.
  @unsafe func storeExactly(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Output>, count: Int,
    header: UnsafeRawPointer)
}

extension EpilogueInt8 {
  @inline(__always)
  @unsafe mutating func begin(
    firstRow: Int, rows: Int, table: UnsafePointer<UnsafePointer<cv_activation>>
  ) {}

  @inline(__always)
  func hasTie(_ farthest: SIMD16<Float>) -> Bool { false }

  @inline(__always)
  @unsafe func storeExactly(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Output>, count: Int,
    header: UnsafeRawPointer
  ) {}

  /// Stores the first `count` channels of `rows` output pixels again, whose sums are the vectors from `first` on.
  @inline(never)
  @unsafe func storeAgain(
    _ sums: UnsafeRawBufferPointer, from first: Int = 0, rows: Int, firstRow: Int, channel: Int,
    count: Int, header: UnsafeRawPointer
  ) {
    // In bounds: the caller has as many vectors as rows.
    let vectors = unsafe sums.assumingMemoryBound(to: SIMD16<Int32>.self).baseAddress
      .unsafelyUnwrapped + first
    let start = unsafe place(row: firstRow, channel: channel)
    var row = 0
    while row < rows {
      unsafe storeExactly(
        vectors[row], row: firstRow &+ row, to: start + row &* rowStride, count: count,
        header: header)
      row &+= 1
    }
  }
}

/// What is known of the codes that a layer's sums become.
protocol CodeRange {
  /// Whether they are all of −128 … 127, the lowest of them for zero, and no sum times its scale reaches 2³⁰.
  static var isPositive: Bool { get }
}

/// Codes of any zero point within any bounds.
enum BoundedCodes: CodeRange {
  @inline(__always)
  static var isPositive: Bool { false }
}

/// Codes of numbers that are not negative, as after a relu.
enum PositiveCodes: CodeRange {
  @inline(__always)
  static var isPositive: Bool { true }
}

/// Calls `body` with the epilogue that knows most of the layer's codes.
@inline(__always)
func withRequantizingEpilogue(
  _ arguments: ConvolutionInt8Arguments, bounded: (RequantizingEpilogue<BoundedCodes>) -> Void,
  positive: (RequantizingEpilogue<PositiveCodes>) -> Void
) {
  let bounds = arguments.bounds
  let isPositive =
    bounds.zeroPoint == -128 && bounds.minimum == -128 && bounds.maximum == 127
    && arguments.weightZeroPoint == 0 && arguments.scalesAreBelowHalf
  if isPositive {
    positive(RequantizingEpilogue(arguments))
  } else {
    bounded(RequantizingEpilogue(arguments))
  }
}

/// To int8: `clamp(rint(y + copysign(tieOffset, y)) + zeroPoint)` of `y = accumulator · scale`, half to even; accumulators
/// begin with the offset.
///
/// The tie offset makes one rounding of the two of the reference; see `OutputScale`. A vector takes ten operations on
/// AVX-512, two of them for the distance from a tie. Positive codes take seven: where negative values all become the
/// lowest code, the offset needs no sign and may bring the zero point with it, and the conversions saturate by themselves.
/// One vector in 256 has a tie, where codes are spread evenly.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct RequantizingEpilogue<Codes: CodeRange>: EpilogueInt8 {
  let padding: Int8
  let output: UnsafeMutablePointer<Int8>
  let rowStride: Int
  // Single numbers, not vectors: a tile would copy those to its stack, and wait for them there.
  let lowest: Float
  let highest: Float
  let zeroPoint: Int32

  /// Scales, and tie offsets; the zero point is in those of positive codes.
  struct Constants {
    let scales: SIMD16<Float>
    let offsets: SIMD16<Float>
  }

  init(_ arguments: ConvolutionInt8Arguments) {
    padding = arguments.inputZeroPoint
    unsafe output = arguments.output
    rowStride = arguments.outputRowStride
    let bounds = arguments.bounds
    lowest = Float(bounds.minimum &- bounds.zeroPoint)
    highest = Float(bounds.maximum &- bounds.zeroPoint)
    zeroPoint = bounds.zeroPoint
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { padding }

  @inline(__always)
  @unsafe func start(_ header: UnsafeRawPointer) -> SIMD16<Int32> {
    unsafe cv_load_s32x16(header.assumingMemoryBound(to: Int32.self))
  }

  @inline(__always)
  @unsafe func constants(_ header: UnsafeRawPointer) -> Constants {
    // In bounds: the header has 3 × 16 words.
    let scales = unsafe (header + 64).assumingMemoryBound(to: Float.self)
    let ties = unsafe cv_load_f32x16(scales + 16)
    return unsafe Constants(
      scales: cv_load_f32x16(scales),
      offsets: Codes.isPositive ? ties + SIMD16(repeating: Float(zeroPoint)) : ties)
  }

  @inline(__always)
  @unsafe func place(row: Int, channel: Int) -> UnsafeMutablePointer<Int8> {
    unsafe output + (row &* rowStride &+ channel)
  }

  @inline(__always)
  @unsafe func store(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Int8>, count: Int,
    _ constants: Constants, farthest: inout SIMD16<Float>
  ) {
    let value = value(sums, constants)
    farthest = cv_farther_x16(farthest, value)
    let codes =
      Codes.isPositive
      ? cv_narrow_saturated_x16(cv_nearest_x16(value)) : cv_codes_x16(value, zeroPoint)
    unsafe storeInt8(place, codes, count)
  }

  @inline(__always)
  func hasTie(_ farthest: SIMD16<Float>) -> Bool { cv_is_tie_x16(farthest) }

  @inline(__always)
  @unsafe func storeExactly(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Int8>, count: Int,
    header: UnsafeRawPointer
  ) {
    let value = unsafe value(sums, constants(header))
    guard hasTie(cv_farther_x16(SIMD16(), value)) else { return }
    let scales = unsafe (header + 64).assumingMemoryBound(to: Float.self)
    let codes = unsafe exactCodes(
      sums, scales: cv_load_f32x16(scales), tieOffsets: cv_load_f32x16(scales + 16),
      lowest: lowest, highest: highest)
    unsafe storeInt8(place, cv_narrow_x16(codes &+ SIMD16(repeating: zeroPoint)), count)
  }

  /// The values of 16 sums, not yet rounded: less the zero point and within the bounds of the codes; of positive codes
  /// with the zero point, and as they are.
  @inline(__always)
  private func value(_ sums: SIMD16<Int32>, _ constants: Constants) -> SIMD16<Float> {
    let sums = cv_to_float_x16(sums)
    if Codes.isPositive { return cv_multiply_add_x16(constants.offsets, sums, constants.scales) }
    // Bounded before the conversion, and then an int8 code for certain.
    return cv_clamp_x16(
      cv_scale_away_x16(sums, constants.scales, constants.offsets), SIMD16(repeating: lowest),
      SIMD16(repeating: highest))
  }
}

/// To float32: `clamp((accumulator + offset · zeroPoint) · rowScale · scale + bias)`, where offset is −Σ weight.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct DequantizingEpilogue: EpilogueInt8 {
  let rowScales: UnsafePointer<Float>
  let rowZeroPoints: UnsafePointer<Int32>
  let pixels: Int
  /// What was added to every code when the activations were packed.
  let activationOffset: Int32
  let output: UnsafeMutablePointer<Float>
  let rowStride: Int
  let lowest: Float
  let highest: Float

  struct Constants {
    let offsets: SIMD16<Int32>
    let scales: SIMD16<Float>
    let biases: SIMD16<Float>
  }

  init(_ arguments: ConvolutionHybridArguments, activationOffset: Int32) {
    self.activationOffset = activationOffset
    unsafe rowScales = arguments.rowScales
    unsafe rowZeroPoints = arguments.rowZeroPoints
    pixels = arguments.geometry.outputPixels
    unsafe output = arguments.output
    rowStride = arguments.outputRowStride
    lowest = arguments.bounds.minimum
    highest = arguments.bounds.maximum
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { unsafe Int8(truncatingIfNeeded: rowZeroPoints[image]) }

  /// Zeros: the offsets count once the row's zero point is known.
  @inline(__always)
  @unsafe func start(_ header: UnsafeRawPointer) -> SIMD16<Int32> { SIMD16() }

  @inline(__always)
  @unsafe func constants(_ header: UnsafeRawPointer) -> Constants {
    // In bounds: the header has 3 × 16 words.
    let scales = unsafe (header + 64).assumingMemoryBound(to: Float.self)
    return unsafe Constants(
      offsets: cv_load_s32x16(header.assumingMemoryBound(to: Int32.self)),
      scales: cv_load_f32x16(scales), biases: cv_load_f32x16(scales + 16))
  }

  @inline(__always)
  @unsafe func place(row: Int, channel: Int) -> UnsafeMutablePointer<Float> {
    unsafe output + (row &* rowStride &+ channel)
  }

  @inline(__always)
  @unsafe func store(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Float>, count: Int,
    _ constants: Constants, farthest: inout SIMD16<Float>
  ) {
    // In bounds: the output has `count` elements at this place.
    let image = pixels == 1 ? row : row / pixels
    let zeroPoint = unsafe SIMD16(repeating: rowZeroPoints[image] &+ activationOffset)
    let scale = unsafe constants.scales * SIMD16(repeating: rowScales[image])
    let product = cv_to_float_x16(sums &+ constants.offsets &* zeroPoint) * scale
    let value = product + constants.biases
    let bounded = cv_clamp_keeping_nan_x16(
      value, SIMD16(repeating: lowest), SIMD16(repeating: highest))
    unsafe storeFloat32(place, bounded, count)
  }
}
