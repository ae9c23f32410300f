import CVector
import KernelInterface

/// Int8 depthwise convolution, 16 channels at a time.
///
/// `output[p][c] = clamp(round((Σ weight[t][c] · (input[tap t of p][c / multiplier] − inputZeroPoint) + bias[c]) · scale[c])
/// + zeroPoint)`, with `multiplier = outputChannels / inputChannels`.
///
/// Lines of the input are copied with their padding; see `InputLineScratch`.
func depthwiseInt8(_ arguments: ConvolutionInt8Arguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  withRequantizingEpilogue(
    arguments,
    bounded: { epilogue in
      unsafe depthwise(
        arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
        weightZeroPoint: arguments.weightZeroPoint, epilogue)
    },
    positive: { epilogue in
      unsafe depthwise(
        arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
        weightZeroPoint: 0, epilogue)
    })
}

/// The same from activations that were quantised row by row, to float32 (dynamic range).
func depthwiseHybrid(_ arguments: ConvolutionHybridArguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe depthwise(
    arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
    weightZeroPoint: 0, DequantizingEpilogue(arguments, activationOffset: Tile.activationOffset))
}

@unsafe private func depthwise<Epilogue: EpilogueInt8>(
  _ geometry: WindowGeometry, _ input: UnsafePointer<Int8>, _ weights: UnsafeRawPointer,
  _ scratch: UnsafeMutableRawPointer, _ range: WorkRange, weightZeroPoint: Int32,
  _ epilogue: Epilogue
) {
  let layout = InputLineScratch(depthwise: geometry, elementBytes: 1)
  let line = unsafe DepthwiseLine(
    geometry, weights: weights, table: scratch + InputLineScratch.rowSumsBytes,
    gathered: scratch + layout.byteCount, hasZeroPoint: weightZeroPoint != 0, epilogue)
  var lines = unsafe InputLines<DepthwiseForm>(geometry, layout, input: input, scratch: scratch)
  let pixels = geometry.outputPixels
  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    let image = row / pixels
    let y = (row &- image &* pixels) / geometry.outputWidth
    let x = row &- image &* pixels &- y &* geometry.outputWidth
    unsafe lines.load(
      image: image, first: y, last: y, padding: epilogue.paddingCode(image: image))
    let count = min(geometry.outputWidth &- x, range.rows.upperBound &- row)
    if Tile.depthwiseLines == 1 {
      unsafe line.runPairs(lines, y: y, x: x, row: row, count: count, panels: range.panels)
    } else {
      unsafe line.runColumns(lines, y: y, x: x, row: row, count: count, panels: range.panels)
    }
    row &+= count
  }
}

/// What the lines of one depthwise convolution have in common.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct DepthwiseLine<Epilogue: EpilogueInt8> {
  let geometry: WindowGeometry
  /// Whether each input channel serves one output channel.
  let isPlain: Bool
  /// See `WindowGeometry.depthwiseLines`.
  let tapLines: Int
  /// Taps beside each other.
  let columns: Int
  /// `tapLines` by four, the last of them with one to four.
  let groups: Int
  /// Those of them with more than one.
  let wholeGroups: Int
  /// Taps, with those of weight zero that make groups or pairs whole.
  let paddedTaps: Int
  let headerBytes: Int
  let panelBytes: Int
  let weights: UnsafeRawPointer
  /// Room for the places of taps.
  let table: UnsafeMutableRawPointer
  /// Room for four vectors of 16 codes.
  let gathered: UnsafeMutableRawPointer
  /// Whether the weights' zero points count.
  let hasZeroPoint: Bool
  let epilogue: Epilogue

  @unsafe init(
    _ geometry: WindowGeometry, weights: UnsafeRawPointer, table: UnsafeMutableRawPointer,
    gathered: UnsafeMutableRawPointer, hasZeroPoint: Bool, _ epilogue: Epilogue
  ) {
    self.geometry = geometry
    isPlain = geometry.inputChannels == geometry.outputChannels
    tapLines = geometry.depthwiseLines
    columns = geometry.taps / tapLines
    groups = (tapLines &+ 3) / 4
    wholeGroups = (tapLines &+ 2) / 4
    let layout = PackedDepthwiseWeights(
      outputChannels: geometry.outputChannels, taps: geometry.taps,
      lines: Tile.depthwiseLines == 1 ? nil : tapLines, elementBytes: 2)
    paddedTaps = layout.paddedTaps
    headerBytes = layout.headerBytes
    panelBytes = layout.panelBytes
    unsafe self.weights = weights
    unsafe self.table = table
    unsafe self.gathered = gathered
    self.hasZeroPoint = hasZeroPoint
    self.epilogue = epilogue
  }

  /// The first of the next four of so many pixels of which `done` are done: some again when fewer than four are left.
  /// Nil when they are done by themselves.
  @inline(__always)
  func nextFour(_ done: Int, of pixels: Int) -> Int? {
    if done &+ 4 <= pixels { return done }
    return pixels >= 4 && done &+ 1 < pixels ? pixels &- 4 : nil
  }

  /// Elements from one output pixel's window to the next one's.
  @inline(__always)
  var pixelStride: Int { geometry.strideWidth &* geometry.inputChannels }

  /// The line of the input that tap row `tapRow` of output line `y` reads.
  @inline(__always)
  func inputLine(_ y: Int, _ tapRow: Int) -> Int {
    y &* geometry.strideHeight &- geometry.paddingTop &+ tapRow &* geometry.dilationHeight
  }

  /// Writes output pixels of a line from `row` on again, whose sums are those vectors.
  @inline(__always)
  @unsafe func storeAgain(
    _ sums: UnsafeRawBufferPointer, rows: Int, _ row: Int, _ channel: Int, _ count: Int,
    _ header: UnsafeRawPointer
  ) {
    unsafe epilogue.storeAgain(
      sums, rows: rows, firstRow: row, channel: channel, count: count, header: header)
  }

  /// Finishes and writes one output pixel.
  @inline(__always)
  @unsafe func store(
    _ row: Int, _ channel: Int, _ count: Int, _ sums: SIMD16<Int32>, _ header: UnsafeRawPointer
  ) {
    let constants = unsafe epilogue.constants(header)
    var farthest = SIMD16<Float>()
    unsafe epilogue.store(
      sums, row: row, to: epilogue.place(row: row, channel: channel), count: count, constants,
      farthest: &farthest)
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: sums) { unsafe storeAgain($0, rows: 1, row, channel, count, header) }
  }

  /// Finishes and writes two output pixels.
  @inline(__always)
  @unsafe func store(
    _ row: Int, _ channel: Int, _ count: Int, _ two: (SIMD16<Int32>, SIMD16<Int32>),
    _ header: UnsafeRawPointer
  ) {
    let place = unsafe epilogue.place(row: row, channel: channel)
    let constants = unsafe epilogue.constants(header)
    var farthest = SIMD16<Float>()
    unsafe epilogue.store(
      two.0, row: row, to: place, count: count, constants, farthest: &farthest)
    unsafe epilogue.store(
      two.1, row: row &+ 1, to: place + epilogue.rowStride, count: count, constants,
      farthest: &farthest)
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: two) { unsafe storeAgain($0, rows: 2, row, channel, count, header) }
  }

  /// Finishes and writes four output pixels.
  @inline(__always)
  @unsafe func store(
    _ row: Int, _ channel: Int, _ count: Int,
    _ four: (SIMD16<Int32>, SIMD16<Int32>, SIMD16<Int32>, SIMD16<Int32>),
    _ header: UnsafeRawPointer
  ) {
    let stride = epilogue.rowStride
    let place = unsafe epilogue.place(row: row, channel: channel)
    let constants = unsafe epilogue.constants(header)
    var farthest = SIMD16<Float>()
    unsafe epilogue.store(
      four.0, row: row, to: place, count: count, constants, farthest: &farthest)
    unsafe epilogue.store(
      four.1, row: row &+ 1, to: place + stride, count: count, constants,
      farthest: &farthest)
    unsafe epilogue.store(
      four.2, row: row &+ 2, to: place + 2 &* stride, count: count, constants,
      farthest: &farthest)
    unsafe epilogue.store(
      four.3, row: row &+ 3, to: place + 3 &* stride, count: count, constants,
      farthest: &farthest)
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: four) { unsafe storeAgain($0, rows: 4, row, channel, count, header) }
  }

  /// Copies the codes that 16 output channels from `channel` on read at `place`, where each input channel serves several,
  /// `stride` bytes apart.
  @inline(__always)
  @unsafe func gather(
    _ place: UnsafePointer<UInt8>, channel: Int, to destination: UnsafeMutablePointer<UInt8>,
    stride: Int
  ) {
    let multiplier = geometry.outputChannels / geometry.inputChannels
    var source = channel / multiplier
    var left = (source &+ 1) &* multiplier &- channel
    var lane = 0
    // In bounds: lanes beyond the last channel repeat it; their weights are zero.
    while lane < Tile.channels {
      unsafe destination[lane &* stride] = place[source]
      lane &+= 1
      left &-= 1
      if left == 0 && source &+ 1 < geometry.inputChannels {
        left = multiplier
        source &+= 1
      }
    }
  }
}
