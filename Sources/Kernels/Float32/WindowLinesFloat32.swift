import CVector
import KernelInterface

/// Finds the rows of the windows of up to `Tile.rowBlock` output pixels.
///
/// `table[line · Tile.rowBlock + row]` is where row `line` of the window of output pixel `row` begins: in the input
/// when it lies inside, else in a copy with zeros for the padding. Matrix tiles read one element of a window at a time,
/// so that nothing needs to be packed, whatever the number of input channels.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct WindowLinesFloat32 {
  let geometry: WindowGeometry
  let input: UnsafePointer<Float>
  let table: UnsafeMutablePointer<UnsafePointer<Float>>
  /// Elements of one row of a window.
  let lineDepth: Int
  private let zeros: UnsafeMutablePointer<Float>
  private let copies: UnsafeMutablePointer<Float>

  @unsafe init(_ arguments: ConvolutionFloat32Arguments) {
    geometry = arguments.geometry
    unsafe input = arguments.input
    lineDepth = geometry.kernelWidth &* geometry.inputChannels
    let layout = WindowLineScratch(geometry, rowBlock: Tile.rowBlock)
    let scratch = unsafe arguments.scratch
    unsafe table = scratch.bindMemory(to: UnsafePointer<Float>.self, capacity: layout.addresses)
    unsafe zeros = (scratch + layout.zerosOffset).assumingMemoryBound(to: Float.self)
    unsafe copies = (scratch + layout.copiesOffset).assumingMemoryBound(to: Float.self)
    if !geometry.isPointwise { unsafe clear(zeros, lineDepth) }
  }

  /// Finds the windows of `rows` output pixels, beginning at `firstRow` of the whole batch.
  ///
  /// The last is repeated for the rows that the last tile computes in vain.
  @inline(never)
  @unsafe func find(firstRow: Int, rows: Int) {
    if geometry.isPointwise {
      var row = 0
      while row < rows {
        unsafe table[row] = input + (firstRow &+ row) &* lineDepth
        row &+= 1
      }
    } else {
      unsafe findWindows(firstRow: firstRow, rows: rows)
    }
    var row = rows
    while row < min(rows &+ Tile.float32Rows &- 1, Tile.rowBlock) {
      var line = 0
      while line < geometry.kernelHeight {
        unsafe table[line &* Tile.rowBlock &+ row] = table[line &* Tile.rowBlock &+ rows &- 1]
        line &+= 1
      }
      row &+= 1
    }
  }

  @inline(__always)
  @unsafe private func findWindows(firstRow: Int, rows: Int) {
    let pixels = geometry.outputPixels
    var image = firstRow / pixels
    var y = (firstRow % pixels) / geometry.outputWidth
    var x = (firstRow % pixels) % geometry.outputWidth
    var copy = unsafe copies
    var row = 0
    while row < rows {
      let left = x &* geometry.strideWidth &- geometry.paddingLeft
      let isInside =
        left >= 0 && left &+ geometry.kernelWidth <= geometry.inputWidth
        && geometry.dilationWidth == 1
      var inputY = y &* geometry.strideHeight &- geometry.paddingTop
      var place = unsafe table + row
      var line = 0
      // In bounds: what lies outside the image is never read.
      while line < geometry.kernelHeight {
        if inputY < 0 || inputY >= geometry.inputHeight {
          unsafe place.pointee = UnsafePointer(zeros)
        } else {
          let start = (image &* geometry.inputHeight &+ inputY) &* geometry.inputWidth
          if isInside {
            unsafe place.pointee = input + (start &+ left) &* geometry.inputChannels
          } else {
            unsafe copyLine(start, left, to: copy)
            unsafe place.pointee = UnsafePointer(copy)
            unsafe copy += lineDepth
          }
        }
        unsafe place += Tile.rowBlock
        inputY &+= geometry.dilationHeight
        line &+= 1
      }
      row &+= 1
      x &+= 1
      if x == geometry.outputWidth {
        x = 0
        y &+= 1
        if y == geometry.outputHeight {
          y = 0
          image &+= 1
        }
      }
    }
  }

  /// Copies one row of a window; `start` is the pixel where the input's line begins.
  @inline(__always)
  @unsafe private func copyLine(_ start: Int, _ left: Int, to copy: UnsafeMutablePointer<Float>) {
    let channels = geometry.inputChannels
    var tap = 0
    // In bounds: as in `findWindows`.
    while tap < geometry.kernelWidth {
      let x = left &+ tap &* geometry.dilationWidth
      let place = unsafe copy + tap &* channels
      if x < 0 || x >= geometry.inputWidth {
        unsafe clear(place, channels)
      } else {
        let source = unsafe input + (start &+ x) &* channels
        var i = 0
        while i &+ 8 <= channels {
          unsafe cv_store_f32x8(place + i, cv_load_f32x8(source + i))
          i &+= 8
        }
        while i < channels {
          unsafe place[i] = source[i]
          i &+= 1
        }
      }
      tap &+= 1
    }
  }

  @inline(__always)
  @unsafe private func clear(_ destination: UnsafeMutablePointer<Float>, _ count: Int) {
    var i = 0
    while i < count {
      unsafe destination[i] = 0
      i &+= 1
    }
  }
}
