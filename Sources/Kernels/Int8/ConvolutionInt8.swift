import CVector
import KernelInterface

/// Int8 convolution and fully connected layer as a matrix product over packed windows.
///
/// `output[p][c] = clamp(round((Σ (weight[c][k] − weightZeroPoint) · (input[window p][k] − inputZeroPoint) + bias[c]) ·
/// scale[c]) + zeroPoint)`
///
/// Windows of up to `Tile.rowBlock` output pixels are found in copies of the input's lines; then each panel of weights
/// passes over them. The input's zero point is folded into the packed offset, so padding is filled with it.
/// - Source: the sums and roundings of TensorFlow Lite's reference kernels, in float32; see `OutputScale`.
func convolutionInt8(_ arguments: ConvolutionInt8Arguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  withRequantizingEpilogue(
    arguments,
    bounded: { epilogue in
      if arguments.weightZeroPoint == 0 {
        unsafe convolveInt8(
          arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
          epilogue)
      } else {
        unsafe convolveInt8(
          arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
          WeightOffsetEpilogue(
            epilogue, geometry: arguments.geometry, weightZeroPoint: arguments.weightZeroPoint,
            rowSums: arguments.scratch.assumingMemoryBound(to: Int32.self)))
      }
    },
    positive: { epilogue in
      unsafe convolveInt8(
        arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range, epilogue)
    })
}

/// The same from activations that were quantised row by row, to float32 (dynamic range).
///
/// `output[p][c] = clamp((Σ weight[c][k] · (input[window p][k] − rowZeroPoint)) · rowScale · scale[c] + bias[c])`
func convolutionHybrid(_ arguments: ConvolutionHybridArguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe convolveInt8(
    arguments.geometry, arguments.input, arguments.weights, arguments.scratch, range,
    DequantizingEpilogue(arguments, activationOffset: Tile.activationOffset))
}

@unsafe private func convolveInt8<Epilogue: EpilogueInt8>(
  _ geometry: WindowGeometry, _ input: UnsafePointer<Int8>, _ weights: UnsafeRawPointer,
  _ scratch: UnsafeMutableRawPointer, _ range: WorkRange, _ initial: Epilogue
) {
  var epilogue = initial
  var windows = unsafe WindowsInt8(geometry, input: input, scratch: scratch)
  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    let rows = windows.blockRows(firstRow: row, count: range.rows.upperBound &- row)
    let table = unsafe windows.find(firstRow: row, rows: rows, epilogue)
    unsafe epilogue.begin(firstRow: row, rows: rows, table: table)
    let panels = unsafe PanelsInt8(geometry: geometry, weights: weights, epilogue: epilogue)
    unsafe panels.multiply(range.panels, table, rows: rows, firstRow: row)
    row &+= rows
  }
}

/// All panels of weights of a layer.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct PanelsInt8<Epilogue: EpilogueInt8> {
  private let weights: UnsafeRawPointer
  private let panelBytes: Int
  private let lines: Int
  private let lineGroups: Int
  private let outputChannels: Int
  private let epilogue: Epilogue

  @unsafe init(geometry: WindowGeometry, weights: UnsafeRawPointer, epilogue: Epilogue) {
    unsafe self.weights = weights
    lines = geometry.windowLines
    lineGroups = (geometry.lineDepth &+ Tile.depthGroup &- 1) / Tile.depthGroup
    panelBytes =
      3 &* Tile.channels &* 4 &+ lines &* lineGroups &* Tile.depthGroup &* Tile.channels
    outputChannels = geometry.outputChannels
    self.epilogue = epilogue
  }

  @inline(__always)
  @unsafe private func panel(_ index: Int) -> PanelInt8<Epilogue> {
    let header = unsafe weights + index &* panelBytes
    let channel = index &* Tile.channels
    return unsafe PanelInt8(
      header: header, weights: (header + 3 &* Tile.channels &* 4).assumingMemoryBound(to: Int8.self),
      lines: lines, lineGroups: lineGroups, channel: channel,
      count: min(Tile.channels, outputChannels &- channel), epilogue: epilogue)
  }

  /// These panels times `rows` packed rows, two or four panels at once where the tile has room for them.
  @inline(__always)
  @unsafe func multiply(
    _ range: Range<Int>, _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    var index = range.lowerBound
    while Tile.int8Rows > 2 && rows == 1 && index &+ 4 <= range.upperBound {
      unsafe panel(index).tile1(
        and: panel(index &+ 1), panel(index &+ 2), panel(index &+ 3), table, firstRow: firstRow)
      index &+= 4
    }
    while Tile.int8Rows == 8 && rows > 1 && index &+ 2 <= range.upperBound {
      unsafe multiply(panel(index), and: panel(index &+ 1), table, rows: rows, firstRow: firstRow)
      index &+= 2
    }
    while index < range.upperBound {
      unsafe multiply(panel(index), table, rows: rows, firstRow: firstRow)
      index &+= 1
    }
  }

  @inline(__always)
  @unsafe private func multiply(
    _ first: PanelInt8<Epilogue>, and second: PanelInt8<Epilogue>,
    _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    var done = 0
    while done < rows {
      let left = rows &- done
      let place = unsafe table + done
      let row = firstRow &+ done
      if left > 4 {
        unsafe first.tile8(and: second, place, rows: min(8, left), firstRow: row)
        done &+= 8
      } else if left > 1 {
        unsafe first.tile4(and: second, place, rows: left, firstRow: row)
        done &+= 4
      } else {
        unsafe first.tile1(place, firstRow: row)
        unsafe second.tile1(place, firstRow: row)
        done &+= 1
      }
    }
  }

  @inline(__always)
  @unsafe private func multiply(
    _ panel: PanelInt8<Epilogue>, _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    var done = 0
    while done < rows {
      let left = rows &- done
      let place = unsafe table + done
      let row = firstRow &+ done
      if left == 1 {
        unsafe panel.tile1(place, firstRow: row)
        done &+= 1
      } else if Tile.int8Rows == 2 || left == 2 {
        unsafe panel.tile2(place, firstRow: row)
        done &+= 2
      } else if Tile.int8Rows == 4 || left <= 4 {
        unsafe panel.tile4(place, rows: min(4, left), firstRow: row)
        done &+= 4
      } else {
        unsafe panel.tile8(place, rows: min(8, left), firstRow: row)
        done &+= 8
      }
    }
  }
}
