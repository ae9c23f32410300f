import CVector
import KernelInterface

// Depthwise taps in pairs that follow each other, for multipliers of int16.

extension DepthwiseLine {
  /// `count` output pixels of the line `y` from column `x` on.
  @inline(never)
  @unsafe func runPairs(
    _ lines: InputLines<DepthwiseForm>, y: Int, x: Int, row: Int, count: Int, panels: Range<Int>
  ) {
    let base = unsafe lines.line(inputLine(y, 0))
    let offsets = unsafe table.assumingMemoryBound(to: Int.self)
    var tap = 0
    // In bounds: the table has room for the taps, rounded up to pairs; the one added repeats the last.
    while tap < paddedTaps {
      let place = min(tap, geometry.taps &- 1)
      let tapRow = place / geometry.kernelWidth
      let column = place &- tapRow &* geometry.kernelWidth
      unsafe offsets[tap] =
        (lines.line(inputLine(y, tapRow)) - base)
        &+ column &* geometry.dilationWidth &* geometry.inputChannels
      tap &+= 1
    }
    var panel = panels.lowerBound
    while panel < panels.upperBound {
      unsafe runPairs(
        base + x &* pixelStride, UnsafePointer(offsets), weights + panel &* panelBytes,
        row: row, pixels: count, channel: panel &* Tile.channels)
      panel &+= 1
    }
  }

  @inline(__always)
  @unsafe private func runPairs(
    _ base: UnsafePointer<UInt8>, _ offsets: UnsafePointer<Int>, _ header: UnsafeRawPointer,
    row: Int, pixels: Int, channel: Int
  ) {
    let count = min(Tile.channels, geometry.outputChannels &- channel)
    var done = 0
    while isPlain && done &+ 2 <= pixels {
      unsafe pairs2(
        base + (done &* pixelStride &+ channel), offsets, header, row: row &+ done,
        channel: channel, count: count)
      done &+= 2
    }
    while done < pixels {
      unsafe pairs1(
        base + done &* pixelStride, offsets, header, row: row &+ done, channel: channel,
        count: count)
      done &+= 1
    }
  }

  /// 16 channels of two output pixels. Bound: per pair of taps and pixel two loads that widen and two interleaves on
  /// the shuffle ports.
  @inline(__always)
  @unsafe private func pairs2(
    _ first: UnsafePointer<UInt8>, _ offsets: UnsafePointer<Int>, _ header: UnsafeRawPointer,
    row: Int, channel: Int, count: Int
  ) {
    let second = unsafe first + pixelStride
    var offset = unsafe offsets
    var w = unsafe (header + headerBytes).assumingMemoryBound(to: Int16.self)
    var (sum0, sum1) = (SIMD16<Int32>(), SIMD16<Int32>())
    var remaining = paddedTaps
    // In bounds: every offset leads into a line's copy, which has room for a vector more.
    while remaining > 0 {
      let (offset0, offset1) = unsafe (offset[0], offset[1])
      sum0 = unsafe cv_depthwise_dot(
        sum0, cv_load_raised(first + offset0), cv_load_raised(first + offset1), w)
      sum1 = unsafe cv_depthwise_dot(
        sum1, cv_load_raised(second + offset0), cv_load_raised(second + offset1), w)
      unsafe offset += 2
      unsafe w += 2 &* Tile.channels
      remaining &-= 2
    }
    let start = unsafe epilogue.start(header)
    let two = (start &+ cv_depthwise_sums(sum0), start &+ cv_depthwise_sums(sum1))
    unsafe store(row, channel, count, two, header)
  }

  /// 16 channels of one output pixel, gathered when an input channel serves several.
  @inline(never)
  @unsafe private func pairs1(
    _ base: UnsafePointer<UInt8>, _ offsets: UnsafePointer<Int>, _ header: UnsafeRawPointer,
    row: Int, channel: Int, count: Int
  ) {
    let room = unsafe gathered.assumingMemoryBound(to: UInt8.self)
    var w = unsafe (header + headerBytes).assumingMemoryBound(to: Int16.self)
    var sum = SIMD16<Int32>()
    var tap = 0
    // In bounds: as in `pairs2`.
    while tap < paddedTaps {
      let (place0, place1) = unsafe (base + offsets[tap], base + offsets[tap &+ 1])
      if isPlain {
        sum = unsafe cv_depthwise_dot(
          sum, cv_load_raised(place0 + channel), cv_load_raised(place1 + channel), w)
      } else {
        unsafe gather(place0, channel: channel, to: room, stride: 1)
        unsafe gather(place1, channel: channel, to: room + Tile.channels, stride: 1)
        sum = unsafe cv_depthwise_dot(
          sum, cv_load_raised(room), cv_load_raised(room + Tile.channels), w)
      }
      unsafe w += 2 &* Tile.channels
      tap &+= 2
    }
    let sums = unsafe epilogue.start(header) &+ cv_depthwise_sums(sum)
    unsafe store(row, channel, count, sums, header)
  }
}
