import CVector
import KernelInterface

/// Packs the windows of output pixels into dense rows of `depth` floats; padding becomes zero.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct WindowsFloat32 {
  let geometry: WindowGeometry
  let input: UnsafePointer<Float>

  /// Packs `rows` windows, beginning at output pixel `firstRow` of the whole batch.
  @inline(never)
  @unsafe func pack(firstRow: Int, rows: Int, to packed: UnsafeMutablePointer<Float>) {
    let pixels = geometry.outputPixels
    var destination = unsafe packed
    var row = firstRow
    while row < firstRow &+ rows {
      let image = row / pixels
      let y = (row % pixels) / geometry.outputWidth
      let x = (row % pixels) % geometry.outputWidth
      unsafe packWindow(image, y, x, to: destination)
      unsafe destination += geometry.depth
      row &+= 1
    }
  }

  @inline(__always)
  @unsafe private func packWindow(
    _ image: Int, _ y: Int, _ x: Int, to start: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.inputChannels
    let width = geometry.kernelWidth
    let left = x &* geometry.strideWidth &- geometry.paddingLeft
    let top = y &* geometry.strideHeight &- geometry.paddingTop
    var destination = unsafe start
    var tapRow = 0
    // In bounds: what lies outside the image is filled, never read.
    while tapRow < geometry.kernelHeight {
      let inputY = top &+ tapRow &* geometry.dilationHeight
      let isInside = inputY >= 0 && inputY < geometry.inputHeight
      let line = (image &* geometry.inputHeight &+ inputY) &* geometry.inputWidth
      if isInside && geometry.dilationWidth == 1 {
        let first = max(0, min(width, 0 &- left))
        let end = max(first, min(width, geometry.inputWidth &- left))
        unsafe clear(destination, first &* channels)
        unsafe copy(
          input + (line &+ left &+ first) &* channels, (end &- first) &* channels,
          to: destination + first &* channels)
        unsafe clear(destination + end &* channels, (width &- end) &* channels)
      } else {
        var tap = 0
        while tap < width {
          let inputX = left &+ tap &* geometry.dilationWidth
          let place = unsafe destination + tap &* channels
          if isInside && inputX >= 0 && inputX < geometry.inputWidth {
            unsafe copy(input + (line &+ inputX) &* channels, channels, to: place)
          } else {
            unsafe clear(place, channels)
          }
          tap &+= 1
        }
      }
      unsafe destination += width &* channels
      tapRow &+= 1
    }
  }

  @inline(__always)
  @unsafe private func copy(
    _ source: UnsafePointer<Float>, _ count: Int, to destination: UnsafeMutablePointer<Float>
  ) {
    var i = 0
    while i &+ 8 <= count {
      unsafe cv_store_f32x8(destination + i, cv_load_f32x8(source + i))
      i &+= 8
    }
    while i < count {
      unsafe destination[i] = source[i]
      i &+= 1
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
