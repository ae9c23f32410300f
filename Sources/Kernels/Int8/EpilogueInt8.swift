import CVector
import KernelInterface

/// What happens to the int32 accumulators of a tile before they leave the registers.
protocol EpilogueInt8 {
  /// The code that stands for zero in an image, which padding is filled with.
  func paddingCode(image: Int) -> Int8

  /// Told of the windows that are multiplied next, before their tiles are stored; see `Windows.table`.
  @unsafe mutating func begin(
    firstRow: Int, rows: Int, table: UnsafePointer<UnsafePointer<cv_activation>>)

  /// What the accumulators of a panel's 16 channels begin with.
  @unsafe func start(_ header: UnsafeRawPointer) -> SIMD16<Int32>

  /// Finishes 16 accumulators of one output pixel and writes the first `count` of them.
  ///
  /// - Parameters:
  ///   - row: output pixel of the whole batch.
  ///   - channel: output channel of the first accumulator.
  ///   - count: 1 … 16.
  ///   - header: three rows of 16 words: int32 offset, float32 scale, float32 bias or tie offset.
  @unsafe func store(
    row: Int, channel: Int, count: Int, sums: SIMD16<Int32>, header: UnsafeRawPointer)
}

extension EpilogueInt8 {
  @inline(__always)
  @unsafe mutating func begin(
    firstRow: Int, rows: Int, table: UnsafePointer<UnsafePointer<cv_activation>>
  ) {}
}

/// To int8: `clamp(rint(y + copysign(tieOffset, y)) + zeroPoint)` of `y = accumulator · scale`, half to even; accumulators
/// begin with the offset.
///
/// The tie offset makes one rounding of the two of the reference; see `OutputScale`. It costs three operations of ten a
/// vector and the check for ties five more; a fixed-point multiply with both roundings (two `vpmuldq`, shifts, a blend)
/// would cost nine. About one vector in two hundred has a tie.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct RequantizingEpilogue: EpilogueInt8 {
  let padding: Int8
  let output: UnsafeMutablePointer<Int8>
  let rowStride: Int
  let lowest: SIMD16<Float>
  let highest: SIMD16<Float>
  let zeroPoint: SIMD16<Int32>

  init(_ arguments: ConvolutionInt8Arguments) {
    padding = arguments.inputZeroPoint
    unsafe output = arguments.output
    rowStride = arguments.outputRowStride
    let bounds = arguments.bounds
    lowest = SIMD16(repeating: Float(bounds.minimum &- bounds.zeroPoint))
    highest = SIMD16(repeating: Float(bounds.maximum &- bounds.zeroPoint))
    zeroPoint = SIMD16(repeating: bounds.zeroPoint)
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { padding }

  @inline(__always)
  @unsafe func start(_ header: UnsafeRawPointer) -> SIMD16<Int32> {
    unsafe cv_load_s32x16(header.assumingMemoryBound(to: Int32.self))
  }

  @inline(__always)
  @unsafe func store(
    row: Int, channel: Int, count: Int, sums: SIMD16<Int32>, header: UnsafeRawPointer
  ) {
    // In bounds: the header has 3 × 16 words and the output `count` elements at this place.
    let scales = unsafe (header + 64).assumingMemoryBound(to: Float.self)
    let product = unsafe cv_to_float_x16(sums) * cv_load_f32x16(scales)
    let moved = unsafe product + cv_copy_sign_x16(cv_load_f32x16(scales + 16), product)
    // Bounded before the conversion, and then an int8 code for certain.
    let bounded = cv_clamp_x16(moved, lowest, highest)
    var codes = cv_round_x16(bounded)
    if _slowPath(cv_has_tie_x16(bounded)) {
      codes = unsafe exactCodes(sums, scales, lowest[0], highest[0])
    }
    unsafe storeInt8(
      output + (row &* rowStride &+ channel), cv_narrow_x16(codes &+ zeroPoint), count)
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
  let lowest: SIMD16<Float>
  let highest: SIMD16<Float>

  init(_ arguments: ConvolutionHybridArguments, activationOffset: Int32) {
    self.activationOffset = activationOffset
    unsafe rowScales = arguments.rowScales
    unsafe rowZeroPoints = arguments.rowZeroPoints
    pixels = arguments.geometry.outputPixels
    unsafe output = arguments.output
    rowStride = arguments.outputRowStride
    lowest = SIMD16(repeating: arguments.bounds.minimum)
    highest = SIMD16(repeating: arguments.bounds.maximum)
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { unsafe Int8(truncatingIfNeeded: rowZeroPoints[image]) }

  /// Zeros: the offsets count once the row's zero point is known.
  @inline(__always)
  @unsafe func start(_ header: UnsafeRawPointer) -> SIMD16<Int32> { SIMD16() }

  @inline(__always)
  @unsafe func store(
    row: Int, channel: Int, count: Int, sums: SIMD16<Int32>, header: UnsafeRawPointer
  ) {
    // In bounds: the header has 3 × 16 words and the output `count` elements at this place.
    let offsets = unsafe cv_load_s32x16(header.assumingMemoryBound(to: Int32.self))
    let scales = unsafe (header + 64).assumingMemoryBound(to: Float.self)
    let image = row / pixels
    let zeroPoint = unsafe SIMD16(repeating: rowZeroPoints[image] &+ activationOffset)
    let scale = unsafe cv_load_f32x16(scales) * SIMD16(repeating: rowScales[image])
    let product = cv_to_float_x16(sums &+ offsets &* zeroPoint) * scale
    let value = unsafe product + cv_load_f32x16(scales + 16)
    unsafe storeFloat32(
      output + (row &* rowStride &+ channel), cv_clamp_keeping_nan_x16(value, lowest, highest),
      count)
  }
}
