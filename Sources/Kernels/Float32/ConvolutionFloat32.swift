import CVector
import KernelInterface

/// Float32 convolution and fully connected layer as a matrix product.
///
/// `output[p][c] = clamp(Σ weight[c][k] · input[window p][k] + bias[c])`
///
/// Windows are read where they lie in the input, but for those at its border: see `WindowLinesFloat32`.
func convolutionFloat32(_ arguments: ConvolutionFloat32Arguments, _ range: WorkRange) {
  let geometry = arguments.geometry
  let depth = geometry.depth
  let panelFloats = (depth &+ 1) &* Tile.channels
  // Sound: the maker of the arguments vouches for the pointers.
  let windows = unsafe WindowLinesFloat32(arguments)
  let weights = unsafe arguments.weights.assumingMemoryBound(to: Float.self)
  let lowest = SIMD8(repeating: arguments.bounds.minimum)
  let highest = SIMD8(repeating: arguments.bounds.maximum)

  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    let rows = min(Tile.rowBlock, range.rows.upperBound &- row)
    unsafe windows.find(firstRow: row, rows: rows)
    var panel = range.panels.lowerBound
    while panel < range.panels.upperBound {
      let channel = panel &* Tile.channels
      unsafe multiply(
        PanelFloat32(
          header: weights + panel &* panelFloats, lines: geometry.kernelHeight,
          lineDepth: windows.lineDepth,
          count: min(Tile.channels, geometry.outputChannels &- channel), lowest: lowest,
          highest: highest, output: arguments.output + channel,
          outputRowStride: arguments.outputRowStride),
        UnsafePointer(windows.table), rows: rows, firstRow: row)
      panel &+= 1
    }
    row &+= rows
  }
}

/// One panel of weights times `rows` rows.
@inline(__always)
@unsafe private func multiply(
  _ panel: PanelFloat32, _ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int
) {
  var done = 0
  while done < rows {
    let left = rows &- done
    let place = unsafe table + done
    if left == 1 {
      unsafe panel.tile1(place, firstRow: firstRow &+ done)
      done &+= 1
    } else if Tile.float32Rows == 2 || left == 2 {
      unsafe panel.tile2(place, firstRow: firstRow &+ done)
      done &+= 2
    } else if Tile.float32Rows == 4 || left <= 4 {
      let tileRows = min(4, left)
      unsafe panel.tile4(place, rows: tileRows, firstRow: firstRow &+ done)
      done &+= tileRows
    } else {
      let tileRows = min(6, left)
      unsafe panel.tile6(place, rows: tileRows, firstRow: firstRow &+ done)
      done &+= tileRows
    }
  }
}
