import CVector
import KernelInterface

/// What happens to the int32 accumulators of a tile before they leave the registers.
protocol EpilogueInt8 {
  /// The code that stands for zero in an image, which padding is filled with.
  func paddingCode(image: Int) -> Int8

  /// Told of the rows that are packed next, before their tiles are stored.
  @unsafe mutating func begin(
    firstRow: Int, rows: Int, packed: UnsafePointer<cv_activation>, rowStride: Int)

  /// Finishes 16 accumulators of one output pixel and writes the first `count` of them.
  ///
  /// - Parameters:
  ///   - row: output pixel of the whole batch.
  ///   - channel: output channel of the first accumulator.
  ///   - count: 1 … 16.
  ///   - header: three rows of 16 words: int32 offset, float32 scale, float32 bias or tie offset.
  @unsafe func store(
    row: Int, channel: Int, count: Int, low: SIMD8<Int32>, high: SIMD8<Int32>,
    header: UnsafeRawPointer)
}

extension EpilogueInt8 {
  @inline(__always)
  @unsafe mutating func begin(
    firstRow: Int, rows: Int, packed: UnsafePointer<cv_activation>, rowStride: Int
  ) {}
}

/// To int8: `clamp(rint(y + copysign(tieOffset, y)) + zeroPoint)` of `y = (accumulator + offset) · scale`, half to even.
///
/// The tie offset makes one rounding of the two of the reference; see `OutputScale`. It costs three operations of ten a
/// vector, a fixed-point multiply with both roundings (two `vpmuldq`, shifts, a blend) would cost nine more.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct RequantizingEpilogue: EpilogueInt8 {
  let padding: Int8
  let output: UnsafeMutablePointer<Int8>
  let rowStride: Int
  let lowest: SIMD8<Float>
  let highest: SIMD8<Float>
  let zeroPoint: SIMD8<Int32>

  init(_ arguments: ConvolutionInt8Arguments) {
    padding = arguments.inputZeroPoint
    unsafe output = arguments.output
    rowStride = arguments.outputRowStride
    let bounds = arguments.bounds
    lowest = SIMD8(repeating: Float(bounds.minimum &- bounds.zeroPoint))
    highest = SIMD8(repeating: Float(bounds.maximum &- bounds.zeroPoint))
    zeroPoint = SIMD8(repeating: bounds.zeroPoint)
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { padding }

  @inline(__always)
  @unsafe func store(
    row: Int, channel: Int, count: Int, low: SIMD8<Int32>, high: SIMD8<Int32>,
    header: UnsafeRawPointer
  ) {
    // In bounds: the header has 3 × 16 words and the output `count` elements at this place.
    let offsets = unsafe header.assumingMemoryBound(to: Int32.self)
    let scales = unsafe (header + 64).assumingMemoryBound(to: Float.self)
    let codeLow = unsafe code(
      low &+ cv_load_s32x8(offsets), cv_load_f32x8(scales), cv_load_f32x8(scales + 16))
    let codeHigh = unsafe code(
      high &+ cv_load_s32x8(offsets + 8), cv_load_f32x8(scales + 8), cv_load_f32x8(scales + 24))
    let codes = cv_narrow_s32x16(codeLow, codeHigh)
    let place = unsafe output + (row &* rowStride &+ channel)
    unsafe storeInt8(place, codes, count)
  }

  @inline(__always)
  private func code(
    _ accumulators: SIMD8<Int32>, _ scale: SIMD8<Float>, _ tieOffset: SIMD8<Float>
  ) -> SIMD8<Int32> {
    let product = cv_to_float(accumulators) * scale
    let moved = product + cv_copy_sign(tieOffset, product)
    // Bounded before the conversion, and then an int8 code for certain.
    return cv_round(cv_clamp(moved, lowest, highest)) &+ zeroPoint
  }
}

/// To float32: `clamp((accumulator + offset · zeroPoint) · rowScale · scale + bias)`, where offset is −Σ weight.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct DequantizingEpilogue: EpilogueInt8 {
  let rowScales: UnsafePointer<Float>
  let rowZeroPoints: UnsafePointer<Int32>
  let pixels: Int
  let output: UnsafeMutablePointer<Float>
  let rowStride: Int
  let lowest: SIMD8<Float>
  let highest: SIMD8<Float>

  init(_ arguments: ConvolutionHybridArguments) {
    unsafe rowScales = arguments.rowScales
    unsafe rowZeroPoints = arguments.rowZeroPoints
    pixels = arguments.geometry.outputPixels
    unsafe output = arguments.output
    rowStride = arguments.outputRowStride
    lowest = SIMD8(repeating: arguments.bounds.minimum)
    highest = SIMD8(repeating: arguments.bounds.maximum)
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { unsafe Int8(truncatingIfNeeded: rowZeroPoints[image]) }

  @inline(__always)
  @unsafe func store(
    row: Int, channel: Int, count: Int, low: SIMD8<Int32>, high: SIMD8<Int32>,
    header: UnsafeRawPointer
  ) {
    // In bounds: the header has 3 × 16 words and the output `count` elements at this place.
    let offsets = unsafe header.assumingMemoryBound(to: Int32.self)
    let scales = unsafe (header + 64).assumingMemoryBound(to: Float.self)
    let image = row / pixels
    let zeroPoint = unsafe SIMD8(repeating: rowZeroPoints[image])
    let rowScale = unsafe SIMD8(repeating: rowScales[image])
    let first = unsafe real(
      low &+ cv_load_s32x8(offsets) &* zeroPoint, cv_load_f32x8(scales) * rowScale,
      cv_load_f32x8(scales + 16))
    let second = unsafe real(
      high &+ cv_load_s32x8(offsets + 8) &* zeroPoint, cv_load_f32x8(scales + 8) * rowScale,
      cv_load_f32x8(scales + 24))
    unsafe storeFloat32(
      output + (row &* rowStride &+ channel), first, second, count)
  }

  @inline(__always)
  private func real(
    _ accumulators: SIMD8<Int32>, _ scale: SIMD8<Float>, _ bias: SIMD8<Float>
  ) -> SIMD8<Float> {
    cv_clamp_keeping_nan(cv_to_float(accumulators) * scale + bias, lowest, highest)
  }
}
