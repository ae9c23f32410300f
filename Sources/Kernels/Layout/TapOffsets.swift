import KernelInterface

/// Where the taps of output pixels lie, as element offsets from `base`, for one run of pixels after another.
///
/// A run is as much of an output line as has its windows between the left and the right border: from one pixel to the next
/// only the base moves. Taps above and below the image lead into a line of padding. A pixel at the left or right border
/// is a run of its own.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct TapOffsets {
  /// What the offsets of the run's first pixel count from.
  private(set) var base: UnsafeRawPointer
  /// `count` offsets, in elements.
  private(set) var offsets: UnsafePointer<Int>
  /// The greatest offset of the run's first pixel that leads into the image, −1 when none does.
  private var lastOffset = -1
  /// The image of the run.
  private(set) var image = 0
  /// Output pixels of the run, to the end of the line.
  private(set) var run = 0
  /// Taps rounded up to pairs; the one added repeats the last tap.
  let count: Int
  /// Elements from one pixel's base to the next one's.
  let pixelStride: Int
  /// `paddingElements` elements that stand for padding; the kernel fills them.
  let padding: UnsafeMutableRawPointer
  let paddingElements: Int
  /// Room for two vectors of gathered elements.
  let gather: UnsafeMutableRawPointer

  private let geometry: WindowGeometry
  private let elementBytes: Int
  private let origin: UnsafeRawPointer
  private let end: UnsafeRawPointer
  private let inside: UnsafeMutablePointer<Int>
  private let border: UnsafeMutablePointer<Int>
  /// Output columns whose windows lie between the left and the right border.
  private let columns: Range<Int>

  @unsafe init(
    _ geometry: WindowGeometry, scratch: UnsafeMutableRawPointer, elementBytes: Int,
    origin: UnsafeRawPointer
  ) {
    let layout = DepthwiseScratch(geometry, elementBytes: elementBytes)
    count = layout.paddedTaps
    self.geometry = geometry
    self.elementBytes = elementBytes
    unsafe self.origin = origin
    let pixels = geometry.batch &* geometry.inputHeight &* geometry.inputWidth
    unsafe end = origin + pixels &* geometry.inputChannels &* elementBytes
    pixelStride = geometry.strideWidth &* geometry.inputChannels
    unsafe inside = scratch.bindMemory(to: Int.self, capacity: 2 &* layout.paddedTaps)
    unsafe border = inside + layout.paddedTaps
    unsafe padding = scratch + layout.paddingOffset
    paddingElements = layout.paddingElements
    unsafe gather = scratch + layout.gatherOffset
    unsafe base = origin
    unsafe offsets = UnsafePointer(inside)
    columns = Self.columns(geometry)
    var tap = 0
    while tap < count {
      let place = min(tap, geometry.taps &- 1)
      let y = place / geometry.kernelWidth &* geometry.dilationHeight
      let x = place % geometry.kernelWidth &* geometry.dilationWidth
      unsafe inside[tap] = (y &* geometry.inputWidth &+ x) &* geometry.inputChannels
      tap &+= 1
    }
  }

  private static func columns(_ geometry: WindowGeometry) -> Range<Int> {
    let stride = geometry.strideWidth
    let first = min((geometry.paddingLeft &+ stride &- 1) / stride, geometry.outputWidth)
    let span = (geometry.kernelWidth &- 1) &* geometry.dilationWidth
    let room = geometry.inputWidth &- 1 &- span &+ geometry.paddingLeft
    let end = room < 0 ? 0 : min(room / stride &+ 1, geometry.outputWidth)
    return first..<max(first, end)
  }

  /// Moves to the run that begins at output pixel `row` of the whole batch.
  @inline(never)
  @unsafe mutating func move(to row: Int) {
    let pixels = geometry.outputPixels
    image = row / pixels
    let pixel = row &- image &* pixels
    let outputY = pixel / geometry.outputWidth
    let outputX = pixel &- outputY &* geometry.outputWidth
    let y = outputY &* geometry.strideHeight &- geometry.paddingTop
    let x = outputX &* geometry.strideWidth &- geometry.paddingLeft
    let lastY = y &+ (geometry.kernelHeight &- 1) &* geometry.dilationHeight
    let isColumnInside = columns.contains(outputX)
    run = isColumnInside ? columns.upperBound &- outputX : 1
    if y >= 0 && lastY < geometry.inputHeight && isColumnInside {
      let first = (image &* geometry.inputHeight &+ y) &* geometry.inputWidth &+ x
      unsafe base = origin + first &* geometry.inputChannels &* elementBytes
      unsafe offsets = UnsafePointer(inside)
      lastOffset = unsafe inside[count &- 1]
    } else {
      unsafe fillBorder(y, x)
      unsafe base = origin
      unsafe offsets = UnsafePointer(border)
    }
  }

  /// How many of the next `run` pixels may read `vector` elements at every tap without running over the input.
  ///
  /// The padding has room for them in any case.
  @inline(__always)
  @unsafe func wholeVectors(of vector: Int, from channel: Int, run: Int) -> Int {
    guard lastOffset >= 0 else { return run }
    let room = unsafe (end - base) / elementBytes &- (lastOffset &+ channel &+ vector)
    return room < 0 ? 0 : min(run, room / pixelStride &+ 1)
  }

  /// Fills the table of a run that touches the border; the offsets count from the input's origin.
  @inline(never)
  @unsafe private mutating func fillBorder(_ y: Int, _ x: Int) {
    // Both are whole elements apart: the scratch is 64-byte aligned and the input aligned to its element.
    let outside = unsafe (Int(bitPattern: UnsafeRawPointer(padding)) &- Int(bitPattern: origin))
      / elementBytes
    lastOffset = -1
    var tap = 0
    var tapY = y
    while tap < geometry.taps {
      let insideY = tapY >= 0 && tapY < geometry.inputHeight
      let line = (image &* geometry.inputHeight &+ tapY) &* geometry.inputWidth
      var tapX = x
      var column = 0
      while column < geometry.kernelWidth {
        let isColumnInside = tapX >= 0 && tapX < geometry.inputWidth
        let place = isColumnInside ? tapX &* geometry.inputChannels : 0
        if insideY && isColumnInside {
          lastOffset = line &* geometry.inputChannels &+ place
          unsafe border[tap] = lastOffset
        } else {
          unsafe border[tap] = outside &+ place
        }
        tap &+= 1
        column &+= 1
        tapX &+= geometry.dilationWidth
      }
      tapY &+= geometry.dilationHeight
    }
    if count > geometry.taps { unsafe border[geometry.taps] = border[geometry.taps &- 1] }
  }
}
