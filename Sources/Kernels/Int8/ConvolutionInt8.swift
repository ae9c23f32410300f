import CVector
import KernelInterface

/// Int8 convolution and fully connected layer as a matrix product over packed windows.
///
/// `output[p][c] = clamp(round((Σ (weight[c][k] − weightZeroPoint) · (input[window p][k] − inputZeroPoint) + bias[c]) ·
/// scale[c]) + zeroPoint)`
///
/// Windows of up to `Tile.rowBlock` output pixels are packed into scratch; then each panel of weights passes over
/// them. The input's zero point is folded into the packed offset, so padding is filled with it.
/// - Source: the sums and roundings of TensorFlow Lite's reference kernels, in float32; see `OutputScale`.
func convolutionInt8(_ arguments: ConvolutionInt8Arguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  let epilogue = RequantizingEpilogue(arguments)
  if arguments.weightZeroPoint == 0 {
    unsafe convolveInt8(
      arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range, epilogue)
  } else {
    unsafe convolveInt8(
      arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
      WeightOffsetEpilogue(
        epilogue, weightZeroPoint: arguments.weightZeroPoint,
        rowSums: arguments.scratch.assumingMemoryBound(to: Int32.self)))
  }
}

/// The same from activations that were quantised row by row, to float32 (dynamic range).
///
/// `output[p][c] = clamp((Σ weight[c][k] · (input[window p][k] − rowZeroPoint)) · rowScale · scale[c] + bias[c])`
func convolutionHybrid(_ arguments: ConvolutionHybridArguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe convolveInt8(
    arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
    DequantizingEpilogue(arguments))
}

@unsafe private func convolveInt8<Epilogue: EpilogueInt8>(
  _ geometry: WindowGeometry, _ input: UnsafePointer<Int8>, _ weights: UnsafeRawPointer,
  _ scratch: UnsafeMutableRawPointer, _ range: WorkRange, _ initial: Epilogue
) {
  var epilogue = initial
  let depth = geometry.depth
  let groups = (depth &+ Tile.depthGroup &- 1) / Tile.depthGroup
  let rowStride = groups &* Tile.depthGroup
  let headerBytes = 3 &* Tile.channels &* 4
  let panelBytes = headerBytes &+ rowStride &* Tile.channels
  let packed = unsafe (scratch + ConvolutionScratch.rowSumsBytes).assumingMemoryBound(
    to: cv_activation.self)
  let windows = unsafe WindowsInt8(geometry: geometry, input: input, rowStride: rowStride)

  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    let rows = min(Tile.rowBlock, range.rows.upperBound &- row)
    unsafe windows.pack(firstRow: row, rows: rows, to: packed, epilogue)
    unsafe epilogue.begin(firstRow: row, rows: rows, packed: packed, rowStride: rowStride)
    var panel = range.panels.lowerBound
    while panel < range.panels.upperBound {
      let header = unsafe weights + panel &* panelBytes
      let channel = panel &* Tile.channels
      unsafe multiply(
        PanelInt8(
          header: header, weights: (header + headerBytes).assumingMemoryBound(to: Int8.self),
          groups: groups, rowStride: rowStride, channel: channel,
          count: min(Tile.channels, geometry.outputChannels &- channel), epilogue: epilogue),
        packed, rows: rows, firstRow: row)
      panel &+= 1
    }
    row &+= rows
  }
}

/// One panel of weights times `rows` packed rows.
@inline(__always)
@unsafe private func multiply<Epilogue: EpilogueInt8>(
  _ panel: PanelInt8<Epilogue>, _ packed: UnsafePointer<cv_activation>, rows: Int, firstRow: Int
) {
  var done = 0
  while done < rows {
    let left = rows &- done
    let activations = unsafe packed + done &* panel.rowStride
    if left == 1 {
      unsafe panel.tile1(activations, firstRow: firstRow &+ done)
      done &+= 1
    } else if Tile.int8Rows == 2 || left == 2 {
      unsafe panel.tile2(activations, rows: 2, firstRow: firstRow &+ done)
      done &+= 2
    } else {
      let tileRows = min(4, left)
      unsafe panel.tile4(activations, rows: tileRows, firstRow: firstRow &+ done)
      done &+= tileRows
    }
  }
}
