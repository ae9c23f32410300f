import CVector
import KernelInterface

/// Float32 depthwise convolution, 16 channels of up to four neighbouring output pixels at a time.
///
/// `output[p][c] = clamp(Σ weight[t][c] · input[tap t of p][c / multiplier] + bias[c])`
///
/// Lines of the input are copied with their padding; see `InputLineScratch`.
func depthwiseFloat32(_ arguments: ConvolutionFloat32Arguments, _ range: WorkRange) {
  let geometry = arguments.geometry
  // Sound: the maker of the arguments vouches for the pointers.
  let layout = InputLineScratch(depthwise: geometry, elementBytes: 4)
  var lines = unsafe InputLines<Float32Form>(
    geometry, layout, input: arguments.input, scratch: arguments.scratch)
  let kernel = unsafe DepthwiseFloat32(
    arguments, gathered: arguments.scratch + layout.byteCount)
  let pixels = geometry.outputPixels
  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    let image = row / pixels
    let y = (row &- image &* pixels) / geometry.outputWidth
    let x = row &- image &* pixels &- y &* geometry.outputWidth
    unsafe lines.load(image: image, first: y, last: y, padding: 0)
    let count = min(geometry.outputWidth &- x, range.rows.upperBound &- row)
    unsafe kernel.run(lines, y: y, x: x, row: row, pixels: count, panels: range.panels)
    row &+= count
  }
}

// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct DepthwiseFloat32 {
  private let geometry: WindowGeometry
  private let taps: Int
  private let weights: UnsafePointer<Float>
  /// Room for the place of each tap.
  private let table: UnsafeMutablePointer<UnsafePointer<Float>>
  /// Room for a vector of 16.
  private let gathered: UnsafeMutablePointer<Float>
  private let pixelStride: Int
  private let lowest: SIMD16<Float>
  private let highest: SIMD16<Float>
  private let output: UnsafeMutablePointer<Float>
  private let outputRowStride: Int

  @unsafe init(_ arguments: ConvolutionFloat32Arguments, gathered: UnsafeMutableRawPointer) {
    geometry = arguments.geometry
    taps = arguments.geometry.taps
    unsafe weights = arguments.weights.assumingMemoryBound(to: Float.self)
    unsafe table = (arguments.scratch + InputLineScratch.rowSumsBytes).assumingMemoryBound(
      to: UnsafePointer<Float>.self)
    unsafe self.gathered = gathered.assumingMemoryBound(to: Float.self)
    pixelStride = arguments.geometry.strideWidth &* arguments.geometry.inputChannels
    lowest = SIMD16(repeating: arguments.bounds.minimum)
    highest = SIMD16(repeating: arguments.bounds.maximum)
    unsafe output = arguments.output
    outputRowStride = arguments.outputRowStride
  }

  /// `pixels` output pixels of the line `y` from column `x` on.
  @inline(never)
  @unsafe func run(
    _ lines: InputLines<Float32Form>, y: Int, x: Int, row: Int, pixels: Int, panels: Range<Int>
  ) {
    var tap = 0
    var tapRow = 0
    // In bounds: the table has room for every tap.
    while tapRow < geometry.kernelHeight {
      let inputY =
        y &* geometry.strideHeight &- geometry.paddingTop &+ tapRow &* geometry.dilationHeight
      var place = unsafe lines.line(inputY) + x &* pixelStride
      var column = 0
      while column < geometry.kernelWidth {
        unsafe table[tap] = place
        unsafe place += geometry.dilationWidth &* geometry.inputChannels
        tap &+= 1
        column &+= 1
      }
      tapRow &+= 1
    }
    let isShared =
      geometry.kernelWidth == 3 && geometry.strideWidth == 1 && geometry.dilationWidth == 1
    let isPlain = geometry.inputChannels == geometry.outputChannels
    var panel = panels.lowerBound
    while panel < panels.upperBound {
      let header = unsafe weights + panel &* (taps &+ 1) &* Tile.channels
      let channel = panel &* Tile.channels
      let count = min(Tile.channels, geometry.outputChannels &- channel)
      if !isPlain {
        unsafe runGathered(header, row: row, pixels: pixels, channel: channel, count: count)
      } else if isShared {
        unsafe runShared(header, row: row, pixels: pixels, channel: channel, count: count)
      } else {
        unsafe runPlain(header, 0, row: row, pixels: pixels, channel: channel, count: count)
      }
      panel &+= 1
    }
  }

  /// 16 channels of a kernel of three columns: four pixels at a time share six columns.
  ///
  /// Bound: a row of taps is twelve multiply-adds of two a cycle, with six loads beside them.
  @inline(never)
  @unsafe private func runShared(
    _ header: UnsafePointer<Float>, row: Int, pixels: Int, channel: Int, count: Int
  ) {
    let step = geometry.inputChannels
    let bias = unsafe cv_load_f32x16(header)
    var done = 0
    // In bounds: the columns of the windows of four pixels of the line.
    while done &+ 4 <= pixels {
      var (sum0, sum1, sum2, sum3) = (bias, bias, bias, bias)
      var w = unsafe header + Tile.channels
      var tap = 0
      while tap < taps {
        let place = unsafe table[tap] + (channel &+ done &* step)
        let (w0, w1) = unsafe (cv_load_f32x16(w), cv_load_f32x16(w + Tile.channels))
        let w2 = unsafe cv_load_f32x16(w + 2 &* Tile.channels)
        let x0 = unsafe cv_load_f32x16(place)
        sum0 = cv_multiply_add_x16(sum0, x0, w0)
        let x1 = unsafe cv_load_f32x16(place + step)
        sum0 = cv_multiply_add_x16(sum0, x1, w1)
        sum1 = cv_multiply_add_x16(sum1, x1, w0)
        let x2 = unsafe cv_load_f32x16(place + 2 &* step)
        sum0 = cv_multiply_add_x16(sum0, x2, w2)
        sum1 = cv_multiply_add_x16(sum1, x2, w1)
        sum2 = cv_multiply_add_x16(sum2, x2, w0)
        let x3 = unsafe cv_load_f32x16(place + 3 &* step)
        sum1 = cv_multiply_add_x16(sum1, x3, w2)
        sum2 = cv_multiply_add_x16(sum2, x3, w1)
        sum3 = cv_multiply_add_x16(sum3, x3, w0)
        let x4 = unsafe cv_load_f32x16(place + 4 &* step)
        sum2 = cv_multiply_add_x16(sum2, x4, w2)
        sum3 = cv_multiply_add_x16(sum3, x4, w1)
        let x5 = unsafe cv_load_f32x16(place + 5 &* step)
        sum3 = cv_multiply_add_x16(sum3, x5, w2)
        unsafe w += 3 &* Tile.channels
        tap &+= 3
      }
      unsafe store(sum0, row: row &+ done, channel: channel, count: count)
      unsafe store(sum1, row: row &+ done &+ 1, channel: channel, count: count)
      unsafe store(sum2, row: row &+ done &+ 2, channel: channel, count: count)
      unsafe store(sum3, row: row &+ done &+ 3, channel: channel, count: count)
      done &+= 4
    }
    unsafe runPlain(header, done, row: row, pixels: pixels, channel: channel, count: count)
  }

  /// 16 channels, four output pixels at a time. Bound: per tap four multiply-adds, five loads of two a cycle.
  @inline(never)
  @unsafe private func runPlain(
    _ header: UnsafePointer<Float>, _ first: Int, row: Int, pixels: Int, channel: Int, count: Int
  ) {
    let bias = unsafe cv_load_f32x16(header)
    var done = first
    // In bounds: every tap leads into a line's copy, which has room for a vector more.
    while done &+ 4 <= pixels {
      var (sum0, sum1, sum2, sum3) = (bias, bias, bias, bias)
      var w = unsafe header + Tile.channels
      let offset = channel &+ done &* pixelStride
      var tap = 0
      while tap < taps {
        let v = unsafe cv_load_f32x16(w)
        let place = unsafe table[tap] + offset
        sum0 = unsafe cv_multiply_add_x16(sum0, cv_load_f32x16(place), v)
        sum1 = unsafe cv_multiply_add_x16(sum1, cv_load_f32x16(place + pixelStride), v)
        sum2 = unsafe cv_multiply_add_x16(sum2, cv_load_f32x16(place + 2 &* pixelStride), v)
        sum3 = unsafe cv_multiply_add_x16(sum3, cv_load_f32x16(place + 3 &* pixelStride), v)
        unsafe w += Tile.channels
        tap &+= 1
      }
      unsafe store(sum0, row: row &+ done, channel: channel, count: count)
      unsafe store(sum1, row: row &+ done &+ 1, channel: channel, count: count)
      unsafe store(sum2, row: row &+ done &+ 2, channel: channel, count: count)
      unsafe store(sum3, row: row &+ done &+ 3, channel: channel, count: count)
      done &+= 4
    }
    while done < pixels {
      var sum = bias
      var w = unsafe header + Tile.channels
      let offset = channel &+ done &* pixelStride
      var tap = 0
      while tap < taps {
        sum = unsafe cv_multiply_add_x16(sum, cv_load_f32x16(table[tap] + offset), cv_load_f32x16(w))
        unsafe w += Tile.channels
        tap &+= 1
      }
      unsafe store(sum, row: row &+ done, channel: channel, count: count)
      done &+= 1
    }
  }

  /// A multiplier above 1: gathered first.
  @inline(never)
  @unsafe private func runGathered(
    _ header: UnsafePointer<Float>, row: Int, pixels: Int, channel: Int, count: Int
  ) {
    let multiplier = geometry.outputChannels / geometry.inputChannels
    var done = 0
    while done < pixels {
      var sum = unsafe cv_load_f32x16(header)
      var w = unsafe header + Tile.channels
      var tap = 0
      // In bounds: lanes beyond the last channel repeat it; their weights are zero.
      while tap < taps {
        let place = unsafe table[tap] + done &* pixelStride
        var lane = 0
        while lane < Tile.channels {
          let source = min(channel &+ lane, geometry.outputChannels &- 1) / multiplier
          unsafe gathered[lane] = place[source]
          lane &+= 1
        }
        sum = unsafe cv_multiply_add_x16(sum, cv_load_f32x16(gathered), cv_load_f32x16(w))
        unsafe w += Tile.channels
        tap &+= 1
      }
      unsafe store(sum, row: row &+ done, channel: channel, count: count)
      done &+= 1
    }
  }

  @inline(__always)
  @unsafe private func store(_ sums: SIMD16<Float>, row: Int, channel: Int, count: Int) {
    unsafe storeFloat32(
      output + (row &* outputRowStride &+ channel),
      cv_clamp_keeping_nan_x16(sums, lowest, highest), count)
  }
}
