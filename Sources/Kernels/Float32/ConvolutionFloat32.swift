import CVector
import KernelInterface

/// Float32 convolution and fully connected layer as a matrix product.
///
/// `output[p][c] = clamp(Σ weight[c][k] · input[window p][k] + bias[c])`
///
/// Windows are found in copies of the input's lines, or without borders in the input itself: see `Windows`.
func convolutionFloat32(_ arguments: ConvolutionFloat32Arguments, _ range: WorkRange) {
  let geometry = arguments.geometry
  // Sound: the maker of the arguments vouches for the pointers.
  var windows = unsafe Windows<Float32Form>(
    geometry, tile: Tile.float32, input: arguments.input, scratch: arguments.scratch)
  let panels = unsafe PanelsFloat32(arguments)
  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    let rows = windows.blockRows(firstRow: row, count: range.rows.upperBound &- row)
    if windows.isPointwise {
      let depth = geometry.inputChannels
      unsafe windows.place(arguments.input + row &* depth, stride: depth, count: rows)
    } else {
      unsafe windows.find(firstRow: row, rows: rows, padding: 0)
    }
    unsafe panels.multiply(range.panels, UnsafePointer(windows.table), rows: rows, firstRow: row)
    row &+= rows
  }
}

/// All panels of weights of a layer.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct PanelsFloat32 {
  private let arguments: ConvolutionFloat32Arguments
  private let weights: UnsafePointer<Float>
  private let panelFloats: Int
  private let lines: Int
  private let lineDepth: Int

  @unsafe init(_ arguments: ConvolutionFloat32Arguments) {
    self.arguments = arguments
    unsafe weights = arguments.weights.assumingMemoryBound(to: Float.self)
    panelFloats = (arguments.geometry.depth &+ 1) &* Tile.channels
    lines = arguments.geometry.windowLines
    lineDepth = arguments.geometry.lineDepth
  }

  @inline(__always)
  @unsafe private func panel(_ index: Int) -> PanelFloat32 {
    let channel = index &* Tile.channels
    return unsafe PanelFloat32(
      header: weights + index &* panelFloats, lines: lines, lineDepth: lineDepth,
      count: min(Tile.channels, arguments.geometry.outputChannels &- channel),
      lowest: SIMD16(repeating: arguments.bounds.minimum),
      highest: SIMD16(repeating: arguments.bounds.maximum), output: arguments.output + channel,
      outputRowStride: arguments.outputRowStride)
  }

  /// These panels times `rows` rows, two panels at once where the tile has room for them.
  @inline(__always)
  @unsafe func multiply(
    _ range: Range<Int>, _ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int
  ) {
    var index = range.lowerBound
    while Tile.float32Rows == 8 && rows > 1 && index &+ 2 <= range.upperBound {
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
    _ first: PanelFloat32, and second: PanelFloat32, _ table: UnsafePointer<UnsafePointer<Float>>,
    rows: Int, firstRow: Int
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
    _ panel: PanelFloat32, _ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int
  ) {
    var done = 0
    while done < rows {
      let left = rows &- done
      let place = unsafe table + done
      let row = firstRow &+ done
      if left == 1 {
        unsafe panel.tile1(place, firstRow: row)
        done &+= 1
      } else if Tile.float32Rows == 2 || left == 2 {
        unsafe panel.tile2(place, firstRow: row)
        done &+= 2
      } else if Tile.float32Rows == 4 || left <= 4 {
        unsafe panel.tile4(place, rows: min(4, left), firstRow: row)
        done &+= 4
      } else if Tile.float32Rows == 6 {
        unsafe panel.tile6(place, rows: min(6, left), firstRow: row)
        done &+= 6
      } else {
        unsafe panel.tile8(place, rows: min(8, left), firstRow: row)
        done &+= 8
      }
    }
  }
}
