import CVector
import KernelInterface

/// Takes the weights' own zero point out of the sums: `Σ (w − z) · x = Σ w · x − z · Σ x`.
///
/// The sum of a window serves every panel, so it costs one addition where the tiles do `outputChannels` products.
@safe struct WeightOffsetEpilogue<Base: EpilogueInt8>: EpilogueInt8 {
  let base: Base
  let weightZeroPoint: Int32
  /// Sums of the windows; room for `Tile.rowBlock`.
  let rowSums: UnsafeMutablePointer<Int32>
  private let lines: Int
  private let lineDepth: Int
  /// The output pixel of the first row.
  private var firstRow = 0

  @unsafe init(
    _ base: Base, geometry: WindowGeometry, weightZeroPoint: Int32,
    rowSums: UnsafeMutablePointer<Int32>
  ) {
    lines = geometry.windowLines
    lineDepth = geometry.lineDepth
    self.base = base
    self.weightZeroPoint = weightZeroPoint
    unsafe self.rowSums = rowSums
  }

  @inline(__always)
  func paddingCode(image: Int) -> Int8 { base.paddingCode(image: image) }

  @inline(__always)
  @unsafe func start(_ header: UnsafeRawPointer) -> SIMD16<Int32> { unsafe base.start(header) }

  @inline(__always)
  @unsafe func constants(_ header: UnsafeRawPointer) -> Base.Constants {
    unsafe base.constants(header)
  }

  @inline(never)
  @unsafe mutating func begin(
    firstRow: Int, rows: Int, table: UnsafePointer<UnsafePointer<cv_activation>>
  ) {
    self.firstRow = firstRow
    var row = 0
    // In bounds: the windows have `lines` runs of `lineDepth` activations.
    while row < rows {
      var sums = SIMD16<Int32>()
      var line = 0
      while line < lines {
        let place = unsafe table[line &* Tile.rowBlock &+ row]
        var k = 0
        while k < lineDepth {
          sums = unsafe cv_add_activations(sums, place + k, min(64, lineDepth &- k))
          k &+= 64
        }
        line &+= 1
      }
      unsafe rowSums[row] = sums.wrappedSum() &* weightZeroPoint
      row &+= 1
    }
  }

  @inline(__always)
  var rowStride: Int { base.rowStride }

  @inline(__always)
  @unsafe func place(row: Int, channel: Int) -> UnsafeMutablePointer<Base.Output> {
    unsafe base.place(row: row, channel: channel)
  }

  @inline(__always)
  @unsafe func store(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Base.Output>, count: Int,
    _ constants: Base.Constants, farthest: inout SIMD16<Float>
  ) {
    unsafe base.store(
      sums &- share(row), row: row, to: place, count: count, constants, farthest: &farthest)
  }

  @inline(__always)
  func hasTie(_ farthest: SIMD16<Float>) -> Bool { base.hasTie(farthest) }

  @inline(__always)
  @unsafe func storeExactly(
    _ sums: SIMD16<Int32>, row: Int, to place: UnsafeMutablePointer<Base.Output>, count: Int,
    header: UnsafeRawPointer
  ) {
    unsafe base.storeExactly(
      sums &- share(row), row: row, to: place, count: count, header: header)
  }

  @inline(__always)
  @unsafe private func share(_ row: Int) -> SIMD16<Int32> {
    unsafe SIMD16(repeating: rowSums[row &- firstRow])
  }
}
