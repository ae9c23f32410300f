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
  unsafe depthwise(
    arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
    weightZeroPoint: arguments.weightZeroPoint, RequantizingEpilogue(arguments))
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
  let packed = PackedDepthwiseWeights(
    outputChannels: geometry.outputChannels, taps: geometry.taps,
    lines: Tile.depthwiseLines == 1 ? nil : geometry.kernelHeight, elementBytes: 2)
  let line = unsafe DepthwiseLine(
    geometry: geometry, layout: packed, weights: weights,
    table: scratch + InputLineScratch.rowSumsBytes, gathered: scratch + layout.byteCount,
    hasZeroPoint: weightZeroPoint != 0, epilogue: epilogue)
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
  let layout: PackedDepthwiseWeights
  let weights: UnsafeRawPointer
  /// Room for the places of taps.
  let table: UnsafeMutableRawPointer
  /// Room for four vectors of 16 codes.
  let gathered: UnsafeMutableRawPointer
  /// Whether the weights' zero points count.
  let hasZeroPoint: Bool
  let epilogue: Epilogue

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
    var farthest = SIMD16<Float>()
    unsafe epilogue.store(
      sums, row: row, to: epilogue.place(row: row, channel: channel), count: count, header: header,
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
    var farthest = SIMD16<Float>()
    unsafe epilogue.store(
      two.0, row: row, to: place, count: count, header: header, farthest: &farthest)
    unsafe epilogue.store(
      two.1, row: row &+ 1, to: place + epilogue.rowStride, count: count, header: header,
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
    var farthest = SIMD16<Float>()
    unsafe epilogue.store(
      four.0, row: row, to: place, count: count, header: header, farthest: &farthest)
    unsafe epilogue.store(
      four.1, row: row &+ 1, to: place + stride, count: count, header: header, farthest: &farthest)
    unsafe epilogue.store(
      four.2, row: row &+ 2, to: place + 2 &* stride, count: count, header: header,
      farthest: &farthest)
    unsafe epilogue.store(
      four.3, row: row &+ 3, to: place + 3 &* stride, count: count, header: header,
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
