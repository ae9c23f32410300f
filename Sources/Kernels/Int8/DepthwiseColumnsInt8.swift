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

  /// 16 channels of four taps, from element `place` on.
  @inline(__always)
  @unsafe func column(_ place: Int) -> cv_column {
    unsafe cv_interleave(
      cv_load_raised(line0 + place), cv_load_raised(line1 + place), cv_load_raised(line2 + place),
      cv_load_raised(line3 + place))
  }
}

extension DepthwiseLine {
  /// `count` output pixels of the line `y` from column `x` on.
  @inline(never)
  @unsafe func runColumns(
    _ lines: InputLines<DepthwiseForm>, y: Int, x: Int, row: Int, count: Int, panels: Range<Int>
  ) {
    let places = unsafe table.assumingMemoryBound(to: UnsafePointer<UInt8>.self)
    let groups = (geometry.kernelHeight &+ 3) / 4
    var tapRow = 0
    // In bounds: the table has room for whole groups; rows beyond the last repeat it, and have weights of zero.
    while tapRow < 4 &* groups {
      unsafe places[tapRow] = lines.line(inputLine(y, min(tapRow, geometry.kernelHeight &- 1)))
      tapRow &+= 1
    }
    let isPlain = geometry.inputChannels == geometry.outputChannels
    let isShared =
      isPlain && groups == 1 && geometry.kernelWidth == 3 && geometry.strideWidth <= 2
      && geometry.dilationWidth == 1
    var panel = panels.lowerBound
    while panel < panels.upperBound {
      let header = unsafe weights + panel &* layout.panelBytes
      let channel = panel &* Tile.channels
      let valid = min(Tile.channels, geometry.outputChannels &- channel)
      if isShared {
        let four = unsafe FourLines(UnsafePointer(places), offset: channel &+ x &* pixelStride)
        if hasZeroPoint {
          unsafe sharedWithZeroPoint(
            four, header, row: row, pixels: count, channel: channel, count: valid)
        } else {
          unsafe shared(four, header, row: row, pixels: count, channel: channel, count: valid)
        }
      } else {
        unsafe columns(
          UnsafePointer(places), from: x, groups: groups, header, row: row, pixels: count,
          channel: channel, count: valid, isPlain: isPlain)
      }
      panel &+= 1
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

  /// 16 channels of output pixels of a kernel of 3 columns whose windows share columns, by four or two.
  ///
  /// Bound: at stride 1 six columns, of four loads and two shuffles, and twelve `vpdpbusd` for four pixels; then four
  /// epilogues of thirteen operations.
  /// - Parameter isOffset: whether the weights' zero points count.
  @inline(__always)
  @unsafe private func shared(
    _ lines: FourLines, _ header: UnsafeRawPointer, row: Int, pixels: Int, channel: Int, count: Int,
    isOffset: Bool
  ) {
    let w = unsafe (header + layout.headerBytes).assumingMemoryBound(to: Int8.self)
    // The zero points are the same for every column of taps.
    let z = unsafe w + (isOffset ? layout.paddedTaps &* Tile.channels : 0)
    let step = geometry.inputChannels
    let start = unsafe epilogue.start(header)
    var done = 0
    // In bounds: the columns of windows of the line.
    if geometry.strideWidth == 1 {
      while done &+ 4 <= pixels {
        let place = done &* step
        let x0 = unsafe lines.column(place)
        let x1 = unsafe lines.column(place &+ step)
        let x2 = unsafe lines.column(place &+ 2 &* step)
        let x3 = unsafe lines.column(place &+ 3 &* step)
        let x4 = unsafe lines.column(place &+ 4 &* step)
        let x5 = unsafe lines.column(place &+ 5 &* step)
        let four = unsafe (
          window(start, x0, x1, x2, w, z, isOffset), window(start, x1, x2, x3, w, z, isOffset),
          window(start, x2, x3, x4, w, z, isOffset), window(start, x3, x4, x5, w, z, isOffset)
        )
        unsafe store(row &+ done, channel, count, four, header)
        done &+= 4
      }
    } else {
      while done &+ 2 <= pixels {
        let place = 2 &* done &* step
        let x0 = unsafe lines.column(place)
        let x1 = unsafe lines.column(place &+ step)
        let x2 = unsafe lines.column(place &+ 2 &* step)
        let x3 = unsafe lines.column(place &+ 3 &* step)
        let x4 = unsafe lines.column(place &+ 4 &* step)
        let two = unsafe (
          window(start, x0, x1, x2, w, z, isOffset), window(start, x2, x3, x4, w, z, isOffset)
        )
        unsafe store(row &+ done, channel, count, two, header)
        done &+= 2
      }
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

  /// 16 channels of one output pixel after the other, from column `first` on.
  @inline(never)
  @unsafe private func columns(
    _ places: UnsafePointer<UnsafePointer<UInt8>>, from first: Int, groups: Int,
    _ header: UnsafeRawPointer, row: Int, pixels: Int, channel: Int, count: Int, isPlain: Bool
  ) {
    var done = 0
    while done < pixels {
      let offset = (first &+ done) &* pixelStride
      unsafe columns(
        places, offset: offset, groups: groups, header, row: row &+ done, channel: channel,
        count: count, isPlain: isPlain)
      done &+= 1
    }
  }

  /// 16 channels of one output pixel.
  @inline(__always)
  @unsafe private func columns(
    _ places: UnsafePointer<UnsafePointer<UInt8>>, offset: Int, groups: Int,
    _ header: UnsafeRawPointer, row: Int, channel: Int, count: Int, isPlain: Bool
  ) {
    var w = unsafe (header + layout.headerBytes).assumingMemoryBound(to: Int8.self)
    let zeroPointOffset = layout.paddedTaps &* Tile.channels
    let step = geometry.dilationWidth &* geometry.inputChannels
    var (sum, zeroPointSum) = unsafe (epilogue.start(header), SIMD16<Int32>())
    var group = 0
    // In bounds: the columns of a window of the line.
    while group < groups {
      let lines = unsafe FourLines(places + 4 &* group, offset: isPlain ? offset &+ channel : offset)
      var column = 0
      while column < geometry.kernelWidth {
        let x: cv_column
        if isPlain {
          x = unsafe lines.column(column &* step)
        } else if geometry.inputChannels == 1 {
          x = unsafe lines.single(column &* step)
        } else {
          x = unsafe gatheredColumn(lines, column &* step, channel: channel)
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
    unsafe store(row, channel, count, sum &- zeroPointSum, header)
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
