import CVector
import KernelInterface

// Depthwise taps by four of a column, for `vpdpbusd`.

/// The lines of four taps of a column.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct FourLines {
  let line0: UnsafePointer<UInt8>
  let line1: UnsafePointer<UInt8>
  let line2: UnsafePointer<UInt8>
  let line3: UnsafePointer<UInt8>

  @inline(__always)
  @unsafe init(_ table: UnsafePointer<UnsafePointer<UInt8>>, offset: Int) {
    unsafe line0 = table[0] + offset
    unsafe line1 = table[1] + offset
    unsafe line2 = table[2] + offset
    unsafe line3 = table[3] + offset
  }

  /// One channel of four taps, sixteen times.
  @inline(__always)
  @unsafe func single(_ place: Int) -> cv_column {
    let low = unsafe Int32(line0[place]) | Int32(line1[place]) &<< 8
    let high = unsafe Int32(line2[place]) | Int32(line3[place]) &<< 8
    return SIMD16(repeating: low | high &<< 16)
  }

  /// 16 channels of four taps, from element `place` on; of the first alone, when the others have no weights.
  @inline(__always)
  @unsafe func column(_ place: Int, isOne: Bool = false) -> cv_column {
    if isOne { return unsafe cv_lowest_of_column(line0 + place) }
    return unsafe cv_interleave(
      cv_load_raised(line0 + place), cv_load_raised(line1 + place), cv_load_raised(line2 + place),
      cv_load_raised(line3 + place))
  }
}

/// The part of a line that one panel computes.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct PanelOfLine {
  let places: UnsafePointer<UnsafePointer<UInt8>>
  let header: UnsafeRawPointer
  /// The first output channel.
  let channel: Int
  /// Output channels of this panel, 1 … 16.
  let count: Int
}

extension DepthwiseLine {
  /// `count` output pixels of the line `y` from column `x` on.
  @inline(never)
  @unsafe func runColumns(
    _ lines: InputLines<DepthwiseForm>, y: Int, x: Int, row: Int, count: Int, panels: Range<Int>
  ) {
    let places = unsafe table.assumingMemoryBound(to: UnsafePointer<UInt8>.self)
    let tapStep = geometry.dilationWidth &* geometry.inputChannels
    var tap = 0
    // In bounds: the table has room for whole groups; taps beyond the last repeat it, and have weights of zero.
    while tap < 4 &* groups {
      let place = min(tap, tapLines &- 1)
      if geometry.kernelHeight == 1 {
        unsafe places[tap] = lines.line(inputLine(y, 0)) + place &* tapStep
      } else {
        unsafe places[tap] = lines.line(inputLine(y, place))
      }
      tap &+= 1
    }
    let isShared =
      isPlain && columns > 1 && geometry.strideWidth <= 2 && geometry.dilationWidth == 1
    let first = x &* pixelStride
    var index = panels.lowerBound
    while index < panels.upperBound {
      let channel = index &* Tile.channels
      let panel = unsafe PanelOfLine(
        places: UnsafePointer(places), header: weights + index &* panelBytes, channel: channel,
        count: min(Tile.channels, geometry.outputChannels &- channel))
      if isShared && columns == 3 && groups == 1 {
        let four = unsafe FourLines(panel.places, offset: channel &+ first)
        if hasZeroPoint {
          unsafe sharedWithZeroPoint(
            four, panel.header, row: row, pixels: count, channel: channel, count: panel.count)
        } else {
          unsafe shared(
            four, panel.header, row: row, pixels: count, channel: channel, count: panel.count)
        }
      } else if isShared && columns == 5 && !hasZeroPoint {
        unsafe fives(panel, first: first, row: row, pixels: count)
      } else if isPlain && !hasZeroPoint {
        unsafe fours(panel, first: first, row: row, pixels: count)
      } else {
        unsafe ones(panel, first: first, row: row, pixels: count, from: 0)
      }
      index &+= 1
    }
  }

  @inline(never)
  @unsafe private func shared(
    _ lines: FourLines, _ header: UnsafeRawPointer, row: Int, pixels: Int, channel: Int, count: Int
  ) {
    unsafe shared(
      lines, header, row: row, pixels: pixels, channel: channel, count: count, isOffset: false)
  }

  @inline(never)
  @unsafe private func sharedWithZeroPoint(
    _ lines: FourLines, _ header: UnsafeRawPointer, row: Int, pixels: Int, channel: Int, count: Int
  ) {
    unsafe shared(
      lines, header, row: row, pixels: pixels, channel: channel, count: count, isOffset: true)
  }

  /// 16 channels of output pixels of a kernel of 3 columns whose windows share columns, by four.
  ///
  /// Bound: at stride 1 four columns, of four loads and two shuffles, and twelve `vpdpbusd` for four pixels, which need two
  /// columns more of those before; then four epilogues of seven to ten operations.
  /// - Parameter isOffset: whether the weights' zero points count.
  @inline(__always)
  @unsafe private func shared(
    _ lines: FourLines, _ header: UnsafeRawPointer, row: Int, pixels: Int, channel: Int, count: Int,
    isOffset: Bool
  ) {
    let w = unsafe (header + headerBytes).assumingMemoryBound(to: Int8.self)
    // The zero points are the same for every column of taps.
    let z = unsafe w + (isOffset ? paddedTaps &* Tile.channels : 0)
    let step = geometry.inputChannels
    let start = unsafe epilogue.start(header)
    let isDense = geometry.strideWidth == 1
    // The first columns of the next four windows, which are the last of these: two of them, or one.
    var (x0, x1) = unsafe (lines.column(0), lines.column(step))
    var done = 0
    // In bounds: the columns of windows of the line.
    while let next = nextFour(done, of: pixels) {
      let place = next &* pixelStride
      if next != done {
        (x0, x1) = unsafe (lines.column(place), lines.column(place &+ step))
      } else if !isDense {
        x1 = unsafe lines.column(place &+ step)
      }
      let x2 = unsafe lines.column(place &+ 2 &* step)
      let sum0 = unsafe window(start, x0, x1, x2, w, z, isOffset)
      let x3 = unsafe lines.column(place &+ 3 &* step)
      let x4 = unsafe lines.column(place &+ 4 &* step)
      let x5 = unsafe lines.column(place &+ 5 &* step)
      if isDense {
        let four = unsafe (
          sum0, window(start, x1, x2, x3, w, z, isOffset),
          window(start, x2, x3, x4, w, z, isOffset), window(start, x3, x4, x5, w, z, isOffset)
        )
        (x0, x1) = (x4, x5)
        unsafe store(row &+ next, channel, count, four, header)
      } else {
        let x6 = unsafe lines.column(place &+ 6 &* step)
        let x7 = unsafe lines.column(place &+ 7 &* step)
        let x8 = unsafe lines.column(place &+ 8 &* step)
        let four = unsafe (
          sum0, window(start, x2, x3, x4, w, z, isOffset),
          window(start, x4, x5, x6, w, z, isOffset), window(start, x6, x7, x8, w, z, isOffset)
        )
        x0 = x8
        unsafe store(row &+ next, channel, count, four, header)
      }
      done = next &+ 4
    }
    while done < pixels {
      let place = done &* pixelStride
      let (x0, x1) = unsafe (lines.column(place), lines.column(place &+ step))
      let one = unsafe window(
        start, x0, x1, lines.column(place &+ 2 &* step), w, z, isOffset)
      unsafe store(row &+ done, channel, count, one, header)
      done &+= 1
    }
  }

  /// The sums of one window of three columns.
  @inline(__always)
  @unsafe private func window(
    _ start: SIMD16<Int32>, _ x0: cv_column, _ x1: cv_column, _ x2: cv_column,
    _ w: UnsafePointer<Int8>, _ z: UnsafePointer<Int8>, _ isOffset: Bool
  ) -> SIMD16<Int32> {
    let (w1, w2) = unsafe (w + 4 &* Tile.channels, w + 8 &* Tile.channels)
    let sum = unsafe cv_column_dot(cv_column_dot(cv_column_dot(start, x0, w), x1, w1), x2, w2)
    guard isOffset else { return sum }
    let none = SIMD16<Int32>()
    return unsafe sum &- cv_column_dot(cv_column_dot(cv_column_dot(none, x0, z), x1, z), x2, z)
  }

  /// 16 channels of output pixels of a kernel of five columns whose windows share columns, by four.
  ///
  /// Bound: at stride 1 and for each four rows of taps eight columns, of four loads and two shuffles or of one load
  /// that widens, and twenty `vpdpbusd` for four pixels.
  @inline(never)
  @unsafe private func fives(_ panel: PanelOfLine, first: Int, row: Int, pixels: Int) {
    var done = 0
    while let next = nextFour(done, of: pixels) {
      let offset = first &+ next &* pixelStride &+ panel.channel
      let start = unsafe epilogue.start(panel.header)
      var four = (start, start, start, start)
      var w = unsafe (panel.header + headerBytes).assumingMemoryBound(to: Int8.self)
      var group = 0
      // In bounds: the columns of windows of the line.
      while group < groups {
        let lines = unsafe FourLines(panel.places + 4 &* group, offset: offset)
        if group == wholeGroups {
          unsafe addFives(&four, lines, w, isOne: true)
        } else {
          unsafe addFives(&four, lines, w, isOne: false)
        }
        unsafe w += 20 &* Tile.channels
        group &+= 1
      }
      unsafe store(row &+ next, panel.channel, panel.count, four, panel.header)
      done = next &+ 4
    }
    unsafe ones(panel, first: first, row: row, pixels: pixels, from: done)
  }

  /// Four rows of taps, or one, of four windows of five columns.
  @inline(__always)
  @unsafe private func addFives(
    _ sums: inout (SIMD16<Int32>, SIMD16<Int32>, SIMD16<Int32>, SIMD16<Int32>), _ lines: FourLines,
    _ w: UnsafePointer<Int8>, isOne: Bool
  ) {
    let step = geometry.inputChannels
    let (x0, x1) = unsafe (lines.column(0, isOne: isOne), lines.column(step, isOne: isOne))
    let x2 = unsafe lines.column(2 &* step, isOne: isOne)
    let x3 = unsafe lines.column(3 &* step, isOne: isOne)
    let x4 = unsafe lines.column(4 &* step, isOne: isOne)
    sums.0 = unsafe window(sums.0, x0, x1, x2, x3, x4, w)
    let x5 = unsafe lines.column(5 &* step, isOne: isOne)
    let x6 = unsafe lines.column(6 &* step, isOne: isOne)
    let x7 = unsafe lines.column(7 &* step, isOne: isOne)
    if geometry.strideWidth == 1 {
      sums.1 = unsafe window(sums.1, x1, x2, x3, x4, x5, w)
      sums.2 = unsafe window(sums.2, x2, x3, x4, x5, x6, w)
      sums.3 = unsafe window(sums.3, x3, x4, x5, x6, x7, w)
    } else {
      let x8 = unsafe lines.column(8 &* step, isOne: isOne)
      let x9 = unsafe lines.column(9 &* step, isOne: isOne)
      let x10 = unsafe lines.column(10 &* step, isOne: isOne)
      sums.1 = unsafe window(sums.1, x2, x3, x4, x5, x6, w)
      sums.2 = unsafe window(sums.2, x4, x5, x6, x7, x8, w)
      sums.3 = unsafe window(sums.3, x6, x7, x8, x9, x10, w)
    }
  }

  /// The sums of one window of five columns.
  @inline(__always)
  @unsafe private func window(
    _ start: SIMD16<Int32>, _ x0: cv_column, _ x1: cv_column, _ x2: cv_column, _ x3: cv_column,
    _ x4: cv_column, _ w: UnsafePointer<Int8>
  ) -> SIMD16<Int32> {
    let step = 4 &* Tile.channels
    var sum = unsafe cv_column_dot(cv_column_dot(start, x0, w), x1, w + step)
    sum = unsafe cv_column_dot(cv_column_dot(sum, x2, w + 2 &* step), x3, w + 3 &* step)
    return unsafe cv_column_dot(sum, x4, w + 4 &* step)
  }

  /// 16 channels of output pixels by four, which share weights.
  @inline(never)
  @unsafe private func fours(_ panel: PanelOfLine, first: Int, row: Int, pixels: Int) {
    let step = geometry.dilationWidth &* geometry.inputChannels
    var done = 0
    while let next = nextFour(done, of: pixels) {
      let offset = first &+ next &* pixelStride &+ panel.channel
      let start = unsafe epilogue.start(panel.header)
      var four = (start, start, start, start)
      var w = unsafe (panel.header + headerBytes).assumingMemoryBound(to: Int8.self)
      var group = 0
      // In bounds: the columns of windows of the line.
      while group < groups {
        let lines = unsafe FourLines(panel.places + 4 &* group, offset: offset)
        let isOne = group == wholeGroups
        var column = 0
        while column < columns {
          let place = column &* step
          if isOne {
            unsafe addFours(&four, lines, place, w, isOne: true)
          } else {
            unsafe addFours(&four, lines, place, w, isOne: false)
          }
          unsafe w += 4 &* Tile.channels
          column &+= 1
        }
        group &+= 1
      }
      unsafe store(row &+ next, panel.channel, panel.count, four, panel.header)
      done = next &+ 4
    }
    unsafe ones(panel, first: first, row: row, pixels: pixels, from: done)
  }

  /// A column of four windows.
  @inline(__always)
  @unsafe private func addFours(
    _ sums: inout (SIMD16<Int32>, SIMD16<Int32>, SIMD16<Int32>, SIMD16<Int32>), _ lines: FourLines,
    _ place: Int, _ w: UnsafePointer<Int8>, isOne: Bool
  ) {
    let stride = pixelStride
    sums.0 = unsafe cv_column_dot(sums.0, lines.column(place, isOne: isOne), w)
    sums.1 = unsafe cv_column_dot(sums.1, lines.column(place &+ stride, isOne: isOne), w)
    sums.2 = unsafe cv_column_dot(sums.2, lines.column(place &+ 2 &* stride, isOne: isOne), w)
    sums.3 = unsafe cv_column_dot(sums.3, lines.column(place &+ 3 &* stride, isOne: isOne), w)
  }

  /// 16 channels of one output pixel after the other, from `from` on.
  @inline(never)
  @unsafe private func ones(
    _ panel: PanelOfLine, first: Int, row: Int, pixels: Int, from: Int
  ) {
    var done = from
    while done < pixels {
      unsafe one(panel, offset: first &+ done &* pixelStride, row: row &+ done)
      done &+= 1
    }
  }

  /// 16 channels of one output pixel.
  @inline(__always)
  @unsafe private func one(_ panel: PanelOfLine, offset: Int, row: Int) {
    var w = unsafe (panel.header + headerBytes).assumingMemoryBound(to: Int8.self)
    let zeroPointOffset = paddedTaps &* Tile.channels
    let step = geometry.dilationWidth &* geometry.inputChannels
    var (sum, zeroPointSum) = unsafe (epilogue.start(panel.header), SIMD16<Int32>())
    var group = 0
    // In bounds: the columns of a window of the line.
    while group < groups {
      let lines = unsafe FourLines(
        panel.places + 4 &* group, offset: isPlain ? offset &+ panel.channel : offset)
      let isOne = isPlain && group == wholeGroups
      var column = 0
      while column < columns {
        let x: cv_column
        if isOne {
          x = unsafe lines.column(column &* step, isOne: true)
        } else if isPlain {
          x = unsafe lines.column(column &* step)
        } else if geometry.inputChannels == 1 {
          x = unsafe lines.single(column &* step)
        } else {
          x = unsafe gatheredColumn(lines, column &* step, channel: panel.channel)
        }
        sum = unsafe cv_column_dot(sum, x, w)
        if hasZeroPoint {
          zeroPointSum = unsafe cv_column_dot(zeroPointSum, x, w + zeroPointOffset)
        }
        unsafe w += 4 &* Tile.channels
        column &+= 1
      }
      group &+= 1
    }
    unsafe store(row, panel.channel, panel.count, sum &- zeroPointSum, panel.header)
  }

  @inline(never)
  @unsafe private func gatheredColumn(_ lines: FourLines, _ place: Int, channel: Int) -> cv_column {
    let room = unsafe gathered.assumingMemoryBound(to: UInt8.self)
    // In bounds: the columns of a window of the line, and four times 16 bytes.
    unsafe gather(lines.line0 + place, channel: channel, to: room, stride: 4)
    unsafe gather(lines.line1 + place, channel: channel, to: room + 1, stride: 4)
    unsafe gather(lines.line2 + place, channel: channel, to: room + 2, stride: 4)
    unsafe gather(lines.line3 + place, channel: channel, to: room + 3, stride: 4)
    return unsafe cv_load_s32x16(gathered.assumingMemoryBound(to: Int32.self))
  }
}
