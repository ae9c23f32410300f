import CVector
import KernelInterface

/// Finds the windows of up to `Tile.rowBlock` output pixels, in the form that the matrix tiles read.
///
/// `table[line · Tile.rowBlock + row]` is where run `line` of the window of output pixel `row` begins: in a copy of a
/// line of the input, or for a convolution without borders in the rows themselves.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct Windows<Form: ActivationForm> {
  let table: UnsafeMutablePointer<UnsafePointer<Form.Element>>
  private let geometry: WindowGeometry
  /// Nil where there are no borders.
  private var lines: InputLines<Form>?
  private let windowLines: Int
  /// Rows of the tile that reads the table.
  private let tileRows: Int

  @unsafe init(
    _ geometry: WindowGeometry, tile: MatrixTile, input: UnsafePointer<Form.Source>,
    scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    windowLines = geometry.windowLines
    tileRows = tile.rows
    unsafe table = (scratch + InputLineScratch.rowSumsBytes).assumingMemoryBound(
      to: UnsafePointer<Form.Element>.self)
    if !geometry.isPointwise {
      let layout = InputLineScratch(geometry, rowBlock: Tile.rowBlock, tile: tile)
      unsafe lines = InputLines(geometry, layout, input: input, scratch: scratch)
    }
  }

  /// How many of the `count` output pixels from `firstRow` on can be found at once: they share an image.
  @inline(__always)
  func blockRows(firstRow: Int, count: Int) -> Int {
    if lines == nil { return min(Tile.rowBlock, count) }
    let pixels = geometry.outputPixels
    return min(Tile.rowBlock, min(count, pixels &- firstRow % pixels))
  }

  /// Whether the rows are to be found by `place(rows:stride:)`.
  @inline(__always)
  var isPointwise: Bool { lines == nil }

  /// Finds the windows of `count` output pixels, beginning at `firstRow` of the whole batch.
  @inline(never)
  @unsafe mutating func find(firstRow: Int, rows count: Int, padding: Form.Source) {
    let image = firstRow / geometry.outputPixels
    unsafe findWindows(
      image: image, pixel: firstRow &- image &* geometry.outputPixels, count: count,
      padding: padding)
    unsafe repeatLast(count)
  }

  /// Takes rows that lie `stride` apart for the windows.
  @inline(__always)
  @unsafe func place(_ rows: UnsafePointer<Form.Element>, stride: Int, count: Int) {
    var row = 0
    while row < count {
      unsafe table[row] = rows + row &* stride
      row &+= 1
    }
    unsafe repeatLast(count)
  }

  /// Repeats the last window for the rows that the last tile computes in vain.
  @inline(__always)
  @unsafe private func repeatLast(_ count: Int) {
    var row = count
    while row < min(count &+ tileRows &- 1, Tile.rowBlock) {
      var line = 0
      while line < windowLines {
        unsafe table[line &* Tile.rowBlock &+ row] = table[line &* Tile.rowBlock &+ count &- 1]
        line &+= 1
      }
      row &+= 1
    }
  }

  @inline(__always)
  @unsafe private mutating func findWindows(image: Int, pixel: Int, count: Int, padding: Form.Source) {
    let width = geometry.outputWidth
    var y = pixel / width
    var x = pixel &- y &* width
    unsafe lines?.load(
      image: image, first: y, last: (pixel &+ count &- 1) / width, padding: padding)
    guard let lines else { return }
    let step = geometry.strideWidth &* geometry.inputChannels
    let taps = windowLines / geometry.kernelHeight
    let tapStep = geometry.dilationWidth &* geometry.inputChannels
    var row = 0
    while row < count {
      let end = min(count, row &+ width &- x)
      var line = 0
      var tap = 0
      var inputY = y &* geometry.strideHeight &- geometry.paddingTop
      while line < windowLines {
        let place = unsafe lines.line(inputY) + (x &* step &+ tap &* tapStep)
        let entries = unsafe table + (line &* Tile.rowBlock &+ row)
        var index = 0
        while index < end &- row {
          unsafe entries[index] = place + index &* step
          index &+= 1
        }
        line &+= 1
        tap &+= 1
        if tap == taps {
          tap = 0
          inputY &+= geometry.dilationHeight
        }
      }
      row = end
      x = 0
      y &+= 1
    }
  }
}
