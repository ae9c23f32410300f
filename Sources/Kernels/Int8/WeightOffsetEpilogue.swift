import CVector
import KernelInterface

/// Takes the weights' own zero point out of the sums: `Σ (w − z) · x = Σ w · x − z · Σ x`.
///
/// The sum of a packed row serves every panel, so it costs one addition where the tiles do `outputChannels` products.
@safe struct WeightOffsetEpilogue<Base: EpilogueInt8>: EpilogueInt8 {
  let base: Base
  let weightZeroPoint: Int32
  /// Sums of the packed rows; room for `Tile.rowBlock`.
  let rowSums: UnsafeMutablePointer<Int32>
  /// The output pixel of the first packed row.
  private var firstRow = 0

  @unsafe init(
    _ base: Base, weightZeroPoint: Int32, rowSums: UnsafeMutablePointer<Int32>
  ) {
    self.base = base
    self.weightZeroPoint = weightZeroPoint
    unsafe self.rowSums = rowSums
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { base.paddingCode(image: image) }

  @unsafe mutating func begin(
    firstRow: Int, rows: Int, packed: UnsafePointer<cv_activation>, rowStride: Int
  ) {
    self.firstRow = firstRow
    var row = 0
    // In bounds: `rows` packed rows of `rowStride` activations, those beyond the depth zero.
    while row < rows {
      var sum: Int32 = 0
      var k = 0
      while k < rowStride {
        unsafe sum &+= Int32(packed[row &* rowStride &+ k])
        k &+= 1
      }
      unsafe rowSums[row] = sum &* weightZeroPoint
      row &+= 1
    }
  }

  @inline(__always)
  @unsafe func store(
    row: Int, channel: Int, count: Int, sums: SIMD16<Int32>, header: UnsafeRawPointer
  ) {
    let share = unsafe SIMD16(repeating: rowSums[row &- firstRow])
    unsafe base.store(
      row: row, channel: channel, count: count, sums: sums &- share, header: header)
  }
}
