import KernelInterface

/// Where the taps of one output pixel lie, as element offsets from `base`.
///
/// Inside the image the offsets are the same for every pixel and only the base moves; at its border a second table is
/// filled, in which the taps outside lead to the stand-in for padding.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct TapOffsets {
  /// The first tap inside the image, or the input's origin at its border.
  private(set) var base: UnsafeRawPointer
  /// `count` offsets, in elements.
  private(set) var offsets: UnsafePointer<Int>
  /// The image of the current pixel.
  private(set) var image = 0
  /// Taps rounded up to pairs; the one added repeats the last tap.
  let count: Int
  /// One pixel's elements that stand for padding; the kernel fills them.
  let padding: UnsafeMutableRawPointer
  /// Room for two vectors of gathered elements.
  let gather: UnsafeMutableRawPointer

  private let geometry: WindowGeometry
  private let elementBytes: Int
  private let origin: UnsafeRawPointer
  private let inside: UnsafeMutablePointer<Int>
  private let border: UnsafeMutablePointer<Int>

  @unsafe init(
    _ geometry: WindowGeometry, scratch: UnsafeMutableRawPointer, elementBytes: Int,
    origin: UnsafeRawPointer
  ) {
    let layout = DepthwiseScratch(geometry, elementBytes: elementBytes)
    count = layout.paddedTaps
    self.geometry = geometry
    self.elementBytes = elementBytes
    unsafe self.origin = origin
    unsafe inside = scratch.bindMemory(to: Int.self, capacity: 2 &* layout.paddedTaps)
    unsafe border = inside + layout.paddedTaps
    unsafe padding = scratch + layout.paddingOffset
    unsafe gather = scratch + layout.gatherOffset
    unsafe base = origin
    unsafe offsets = UnsafePointer(inside)
    var tap = 0
    while tap < count {
      let place = min(tap, geometry.taps &- 1)
      let y = place / geometry.kernelWidth &* geometry.dilationHeight
      let x = place % geometry.kernelWidth &* geometry.dilationWidth
      unsafe inside[tap] = (y &* geometry.inputWidth &+ x) &* geometry.inputChannels
      tap &+= 1
    }
  }

  /// Moves to output pixel `row` of the whole batch.
  @inline(__always)
  @unsafe mutating func move(to row: Int) {
    let pixels = geometry.outputPixels
    image = row / pixels
    let pixel = row &- image &* pixels
    let outputY = pixel / geometry.outputWidth
    let outputX = pixel &- outputY &* geometry.outputWidth
    let y = outputY &* geometry.strideHeight &- geometry.paddingTop
    let x = outputX &* geometry.strideWidth &- geometry.paddingLeft
    let lastY = y &+ (geometry.kernelHeight &- 1) &* geometry.dilationHeight
    let lastX = x &+ (geometry.kernelWidth &- 1) &* geometry.dilationWidth
    if y >= 0 && x >= 0 && lastY < geometry.inputHeight && lastX < geometry.inputWidth {
      let first = (image &* geometry.inputHeight &+ y) &* geometry.inputWidth &+ x
      unsafe base = origin + first &* geometry.inputChannels &* elementBytes
      unsafe offsets = UnsafePointer(inside)
    } else {
      unsafe fillBorder(y, x)
      unsafe base = origin
      unsafe offsets = UnsafePointer(border)
    }
  }

  @inline(never)
  @unsafe private func fillBorder(_ y: Int, _ x: Int) {
    // Both are whole elements apart: the scratch is 64-byte aligned and the input aligned to its element.
    let outside = unsafe (Int(bitPattern: UnsafeRawPointer(padding)) &- Int(bitPattern: origin))
      / elementBytes
    var tap = 0
    var tapY = y
    while tap < geometry.taps {
      let insideY = tapY >= 0 && tapY < geometry.inputHeight
      let line = (image &* geometry.inputHeight &+ tapY) &* geometry.inputWidth
      var tapX = x
      var column = 0
      while column < geometry.kernelWidth {
        let isInside = insideY && tapX >= 0 && tapX < geometry.inputWidth
        unsafe border[tap] = isInside ? (line &+ tapX) &* geometry.inputChannels : outside
        tap &+= 1
        column &+= 1
        tapX &+= geometry.dilationWidth
      }
      tapY &+= geometry.dilationHeight
    }
    if count > geometry.taps { unsafe border[geometry.taps] = border[geometry.taps &- 1] }
  }
}
