import CVector
import KernelInterface

/// Finds the windows of up to `Tile.rowBlock` output pixels, in the form that the matrix tiles read.
///
/// `table[line · Tile.rowBlock + row]` is where run `line` of the window of output pixel `row` begins: in a copy of a
/// line of the input, or for a convolution without borders in a copy of the rows themselves.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct WindowsInt8 {
  let table: UnsafeMutablePointer<UnsafePointer<cv_activation>>
  private let geometry: WindowGeometry
  private let input: UnsafePointer<Int8>
  private let rows: UnsafeMutablePointer<cv_activation>
  /// Nil where there are no borders.
  private var lines: InputLines<MatrixForm>?
  private let windowLines: Int
  private let isPointwise: Bool

  @unsafe init(
    _ geometry: WindowGeometry, input: UnsafePointer<Int8>, scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    windowLines = geometry.windowLines
    isPointwise = geometry.isPointwise
    unsafe self.input = input
    unsafe table = (scratch + InputLineScratch.rowSumsBytes).assumingMemoryBound(
      to: UnsafePointer<cv_activation>.self)
    unsafe rows = (scratch + PointwiseScratch.rowsOffset(rowBlock: Tile.rowBlock))
      .assumingMemoryBound(to: cv_activation.self)
    if !isPointwise {
      let layout = InputLineScratch(geometry, rowBlock: Tile.rowBlock, tile: Tile.int8)
      unsafe lines = InputLines(geometry, layout, input: input, scratch: scratch)
    }
  }

  /// How many of the `count` output pixels from `firstRow` on can be found at once: they share an image.
  @inline(__always)
  func blockRows(firstRow: Int, count: Int) -> Int {
    if isPointwise { return min(Tile.rowBlock, count) }
    let pixels = geometry.outputPixels
    return min(Tile.rowBlock, min(count, pixels &- firstRow % pixels))
  }

  /// Finds the windows of `rows` output pixels, beginning at `firstRow` of the whole batch.
  ///
  /// The last is repeated for the rows that the last tile computes in vain.
  @inline(never)
  @unsafe mutating func find<Epilogue: EpilogueInt8>(
    firstRow: Int, rows count: Int, _ epilogue: Epilogue
  ) {
    if isPointwise {
      unsafe copyRows(firstRow: firstRow, count: count)
    } else {
      let image = firstRow / geometry.outputPixels
      unsafe findWindows(
        image: image, pixel: firstRow &- image &* geometry.outputPixels, count: count,
        code: epilogue.paddingCode(image: image))
    }
    var row = count
    while row < min(count &+ Tile.int8Rows &- 1, Tile.rowBlock) {
      var line = 0
      while line < windowLines {
        unsafe table[line &* Tile.rowBlock &+ row] = table[line &* Tile.rowBlock &+ count &- 1]
        line &+= 1
      }
      row &+= 1
    }
  }

  @inline(__always)
  @unsafe private func copyRows(firstRow: Int, count: Int) {
    let depth = geometry.inputChannels
    let stride = (depth &+ Tile.depthGroup &- 1) / Tile.depthGroup &* Tile.depthGroup
    let copier = unsafe CodeCopier<MatrixForm>(end: input + geometry.outputRows &* depth)
    let source = unsafe input + firstRow &* depth
    if stride == depth {
      unsafe copier.copy(source, count &* depth, to: rows)
    }
    var row = 0
    // In bounds: the scratch has room for the rows and a vector more; what runs over is overwritten by the next row.
    while row < count {
      let place = unsafe rows + row &* stride
      if stride != depth { unsafe copier.copy(source + row &* depth, depth, to: place) }
      unsafe table[row] = UnsafePointer(place)
      row &+= 1
    }
  }

  @inline(__always)
  @unsafe private mutating func findWindows(image: Int, pixel: Int, count: Int, code: Int8) {
    let width = geometry.outputWidth
    var y = pixel / width
    var x = pixel &- y &* width
    unsafe lines?.load(
      image: image, first: y, last: (pixel &+ count &- 1) / width, code: code)
    guard let lines else { return }
    let step = geometry.strideWidth &* geometry.inputChannels
    let taps = windowLines / geometry.kernelHeight
    let tapStep = geometry.dilationWidth &* geometry.inputChannels
    var row = 0
    while row < count {
      let end = min(count, row &+ width &- x)
      var line = 0
      while line < windowLines {
        let tapRow = line / taps
        let tap = line &- tapRow &* taps
        let inputY =
          y &* geometry.strideHeight &- geometry.paddingTop &+ tapRow &* geometry.dilationHeight
        var place = unsafe lines.line(inputY) + (x &* step &+ tap &* tapStep)
        var index = row
        while index < end {
          unsafe table[line &* Tile.rowBlock &+ index] = place
          unsafe place += step
          index &+= 1
        }
        line &+= 1
      }
      row = end
      x = 0
      y &+= 1
    }
  }
}
