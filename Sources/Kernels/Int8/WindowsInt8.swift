import CVector
import KernelInterface

/// The windows of an int8 convolution; without borders, copies of the rows in the form that the tiles read.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct WindowsInt8 {
  private let geometry: WindowGeometry
  private let input: UnsafePointer<Int8>
  private let rows: UnsafeMutablePointer<cv_activation>
  private var windows: Windows<MatrixForm>

  @unsafe init(
    _ geometry: WindowGeometry, input: UnsafePointer<Int8>, scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    unsafe self.input = input
    unsafe rows = (scratch + PointwiseScratch.rowsOffset(rowBlock: Tile.rowBlock))
      .assumingMemoryBound(to: cv_activation.self)
    unsafe windows = Windows(geometry, tile: Tile.int8, input: input, scratch: scratch)
  }

  @inline(__always)
  func blockRows(firstRow: Int, count: Int) -> Int {
    windows.blockRows(firstRow: firstRow, count: count)
  }

  /// Finds the windows of `count` output pixels, beginning at `firstRow` of the whole batch; see `Windows.table`.
  @inline(__always)
  @unsafe mutating func find<Epilogue: EpilogueInt8>(
    firstRow: Int, rows count: Int, _ epilogue: Epilogue
  ) -> UnsafePointer<UnsafePointer<cv_activation>> {
    if windows.isPointwise {
      unsafe copyRows(firstRow: firstRow, count: count)
    } else {
      unsafe windows.find(
        firstRow: firstRow, rows: count,
        padding: epilogue.paddingCode(image: firstRow / geometry.outputPixels))
    }
    return unsafe UnsafePointer(windows.table)
  }

  @inline(never)
  @unsafe private func copyRows(firstRow: Int, count: Int) {
    let depth = geometry.inputChannels
    let stride = (depth &+ Tile.depthGroup &- 1) / Tile.depthGroup &* Tile.depthGroup
    let copier = unsafe ActivationCopier<MatrixForm>(
      end: input + geometry.batch &* geometry.inputHeight &* geometry.inputWidth &* depth)
    let source = unsafe input + firstRow &* depth
    if stride == depth {
      unsafe copier.copy(source, count &* depth, to: rows)
    } else {
      var row = 0
      // In bounds: the scratch has room for a vector more; what runs over is overwritten by the next row.
      while row < count {
        unsafe copier.copy(source + row &* depth, depth, to: rows + row &* stride)
        row &+= 1
      }
    }
    unsafe windows.place(UnsafePointer(rows), stride: stride, count: count)
  }
}
