import CVector
import KernelInterface

/// Packs the windows of output pixels into rows, in the form that the matrix tiles read.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct WindowsInt8 {
  let geometry: WindowGeometry
  let input: UnsafePointer<Int8>
  /// Activations from one packed row to the next: the depth rounded up to whole groups.
  let rowStride: Int
  /// The end of the input, which no vector may run over.
  private let end: UnsafePointer<Int8>

  @unsafe init(geometry: WindowGeometry, input: UnsafePointer<Int8>, rowStride: Int) {
    self.geometry = geometry
    unsafe self.input = input
    self.rowStride = rowStride
    let pixels = geometry.batch &* geometry.inputHeight &* geometry.inputWidth
    unsafe end = input + pixels &* geometry.inputChannels
  }

  /// Packs `rows` windows, beginning at output pixel `firstRow` of the whole batch.
  ///
  /// Every copy writes whole vectors, so it may run up to 15 activations over; what follows overwrites them, and the
  /// scratch has room for one vector more.
  @inline(never)
  @unsafe func pack<Epilogue: EpilogueInt8>(
    firstRow: Int, rows: Int, to packed: UnsafeMutablePointer<cv_activation>, _ epilogue: Epilogue
  ) {
    let pixels = geometry.outputPixels
    var image = firstRow / pixels
    var y = (firstRow % pixels) / geometry.outputWidth
    var x = (firstRow % pixels) % geometry.outputWidth
    let depth = geometry.depth
    let isPointwise = geometry.isPointwise
    var row = 0
    while row < rows {
      let destination = unsafe packed + row &* rowStride
      let padding = SIMD16<Int8>(repeating: epilogue.paddingCode(image: image))
      if isPointwise {
        unsafe copy(input + (firstRow &+ row) &* depth, depth, to: destination)
      } else {
        unsafe packWindow(image, y, x, padding, to: destination)
      }
      var extra = depth
      while extra < rowStride {
        unsafe destination[extra] = 0
        extra &+= 1
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

  @inline(__always)
  @unsafe private func packWindow(
    _ image: Int, _ y: Int, _ x: Int, _ padding: SIMD16<Int8>,
    to start: UnsafeMutablePointer<cv_activation>
  ) {
    let channels = geometry.inputChannels
    let width = geometry.kernelWidth
    let left = x &* geometry.strideWidth &- geometry.paddingLeft
    let top = y &* geometry.strideHeight &- geometry.paddingTop
    var destination = unsafe start
    if left >= 0, top >= 0, geometry.dilationWidth == 1, left &+ width <= geometry.inputWidth,
      top &+ (geometry.kernelHeight &- 1) &* geometry.dilationHeight < geometry.inputHeight
    {
      let first = (image &* geometry.inputHeight &+ top) &* geometry.inputWidth &+ left
      let lineStride = geometry.dilationHeight &* geometry.inputWidth &* channels
      var source = unsafe input + first &* channels
      var remaining = geometry.kernelHeight
      while remaining > 0 {
        unsafe copy(source, width &* channels, to: destination)
        unsafe destination += width &* channels
        unsafe source += lineStride
        remaining &-= 1
      }
      return
    }
    var tapRow = 0
    while tapRow < geometry.kernelHeight {
      let inputY = top &+ tapRow &* geometry.dilationHeight
      if inputY < 0 || inputY >= geometry.inputHeight {
        unsafe fill(padding, width &* channels, to: destination)
        unsafe destination += width &* channels
      } else {
        let line = unsafe input
          + ((image &* geometry.inputHeight &+ inputY) &* geometry.inputWidth) &* channels
        if geometry.dilationWidth == 1 {
          let first = max(0, min(width, 0 &- left))
          let end = max(first, min(width, geometry.inputWidth &- left))
          unsafe fill(padding, first &* channels, to: destination)
          unsafe copy(
            line + (left &+ first) &* channels, (end &- first) &* channels,
            to: destination + first &* channels)
          unsafe fill(padding, (width &- end) &* channels, to: destination + end &* channels)
          unsafe destination += width &* channels
        } else {
          var tap = 0
          while tap < width {
            let inputX = left &+ tap &* geometry.dilationWidth
            if inputX < 0 || inputX >= geometry.inputWidth {
              unsafe fill(padding, channels, to: destination)
            } else {
              unsafe copy(line + inputX &* channels, channels, to: destination)
            }
            unsafe destination += channels
            tap &+= 1
          }
        }
      }
      tapRow &+= 1
    }
  }

  @inline(__always)
  @unsafe private func copy(
    _ source: UnsafePointer<Int8>, _ count: Int, to destination: UnsafeMutablePointer<cv_activation>
  ) {
    var i = 0
    while i &+ 16 <= count {
      unsafe cv_store_activations(destination + i, cv_load_s8x16(source + i))
      i &+= 16
    }
    if i < count, unsafe source + (i &+ 16) <= end {
      unsafe cv_store_activations(destination + i, cv_load_s8x16(source + i))
    } else if i < count {
      unsafe cv_store_activations(
        destination + i, cv_load_s8_partial(source + i, count &- i))
    }
  }

  @inline(__always)
  @unsafe private func fill(
    _ code: SIMD16<Int8>, _ count: Int, to destination: UnsafeMutablePointer<cv_activation>
  ) {
    var i = 0
    while i < count {
      unsafe cv_store_activations(destination + i, code)
      i &+= 16
    }
  }
}
