import CVector
import KernelInterface

/// Int8 depthwise convolution, 16 channels of two neighbouring output pixels at a time, taps in pairs.
///
/// `output[p][c] = clamp(round((Σ weight[t][c] · (input[tap t of p][c / multiplier] − inputZeroPoint) + bias[c]) · scale[c])
/// + zeroPoint)`, with `multiplier = outputChannels / inputChannels`.
func depthwiseInt8(_ arguments: ConvolutionInt8Arguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe DepthwiseInt8(
    geometry: arguments.geometry, input: arguments.input, weights: arguments.weights,
    scratch: arguments.scratch, epilogue: RequantizingEpilogue(arguments)
  ).run(range)
}

/// The same from activations that were quantised row by row, to float32 (dynamic range).
func depthwiseHybrid(_ arguments: ConvolutionHybridArguments, _ range: WorkRange) {
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe DepthwiseInt8(
    geometry: arguments.geometry, input: arguments.input, weights: arguments.weights,
    scratch: arguments.scratch, epilogue: DequantizingEpilogue(arguments, activationOffset: 0)
  ).run(range)
}

// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct DepthwiseInt8<Epilogue: EpilogueInt8> {
  let geometry: WindowGeometry
  let input: UnsafePointer<Int8>
  let weights: UnsafeRawPointer
  let scratch: UnsafeMutableRawPointer
  let epilogue: Epilogue

  @unsafe func run(_ range: WorkRange) {
    var taps = unsafe TapOffsets(
      geometry, scratch: scratch, elementBytes: 1, origin: UnsafeRawPointer(input))
    let panelBytes =
      3 &* Tile.channels &* 4
      &+ taps.count &* Tile.channels &* MemoryLayout<cv_depthwise_weight>.size
    var image = -1
    var row = range.rows.lowerBound
    while row < range.rows.upperBound {
      unsafe taps.move(to: row)
      if taps.image != image {
        image = taps.image
        unsafe taps.padding.initializeMemory(
          as: Int8.self, repeating: epilogue.paddingCode(image: image),
          count: taps.paddingElements)
      }
      let run = min(taps.run, range.rows.upperBound &- row)
      var panel = range.panels.lowerBound
      while panel < range.panels.upperBound {
        unsafe line(
          taps, weights + panel &* panelBytes, row: row, run: run, channel: panel &* Tile.channels)
        panel &+= 1
      }
      row &+= run
    }
  }

  /// `run` output pixels of one panel.
  @inline(never)
  @unsafe private func line(
    _ taps: TapOffsets, _ header: UnsafeRawPointer, row: Int, run: Int, channel: Int
  ) {
    let isPlain = geometry.inputChannels == geometry.outputChannels
    let count = min(Tile.channels, geometry.outputChannels &- channel)
    // Lanes beyond `count` read what follows: other channels, the next pixel or more padding.
    let whole =
      isPlain ? unsafe taps.wholeVectors(of: Tile.channels, from: channel, run: run) : 0
    let base = unsafe taps.base.assumingMemoryBound(to: Int8.self)
    let first = unsafe base + channel
    var done = 0
    while done &+ 2 <= whole {
      unsafe tile2(
        first + done &* taps.pixelStride, taps, header, row: row &+ done, channel: channel,
        count: count)
      done &+= 2
    }
    if done < whole {
      unsafe tile1(
        first + done &* taps.pixelStride, taps, header, row: row &+ done, channel: channel,
        count: count)
      done &+= 1
    }
    while done < run {
      unsafe gatheredTile(
        base + done &* taps.pixelStride, taps, header, row: row &+ done, channel: channel,
        count: count)
      done &+= 1
    }
  }

  /// 16 channels of two output pixels. Bound: per pair of taps and pixel two loads that widen and two interleaves on
  /// the shuffle ports.
  @inline(__always)
  @unsafe private func tile2(
    _ first: UnsafePointer<Int8>, _ taps: TapOffsets, _ header: UnsafeRawPointer, row: Int,
    channel: Int, count: Int
  ) {
    let second = unsafe first + taps.pixelStride
    var offsets = unsafe taps.offsets
    var w = unsafe (header + 3 &* Tile.channels &* 4).assumingMemoryBound(
      to: cv_depthwise_weight.self)
    var (sum0, sum1) = (SIMD16<Int32>(), SIMD16<Int32>())
    var remaining = taps.count
    // In bounds: every offset leads to an input pixel or into the padding, and the caller has counted whole vectors.
    while remaining > 0 {
      let (offset0, offset1) = unsafe (offsets[0], offsets[1])
      let x00 = unsafe cv_load_s8x16(first + offset0)
      let x01 = unsafe cv_load_s8x16(first + offset1)
      sum0 = unsafe cv_depthwise_dot(sum0, x00, x01, w)
      let x10 = unsafe cv_load_s8x16(second + offset0)
      let x11 = unsafe cv_load_s8x16(second + offset1)
      sum1 = unsafe cv_depthwise_dot(sum1, x10, x11, w)
      unsafe offsets += 2
      unsafe w += 2 &* Tile.channels
      remaining &-= 2
    }
    unsafe epilogue.store(
      row: row, channel: channel, count: count, sums: cv_depthwise_sums(sum0), header: header)
    unsafe epilogue.store(
      row: row &+ 1, channel: channel, count: count, sums: cv_depthwise_sums(sum1), header: header)
  }

  /// 16 channels of one output pixel, as `tile2`.
  @inline(__always)
  @unsafe private func tile1(
    _ first: UnsafePointer<Int8>, _ taps: TapOffsets, _ header: UnsafeRawPointer, row: Int,
    channel: Int, count: Int
  ) {
    var offsets = unsafe taps.offsets
    var w = unsafe (header + 3 &* Tile.channels &* 4).assumingMemoryBound(
      to: cv_depthwise_weight.self)
    var sum = SIMD16<Int32>()
    var remaining = taps.count
    // In bounds: as in `tile2`.
    while remaining > 0 {
      let x0 = unsafe cv_load_s8x16(first + offsets[0])
      let x1 = unsafe cv_load_s8x16(first + offsets[1])
      sum = unsafe cv_depthwise_dot(sum, x0, x1, w)
      unsafe offsets += 2
      unsafe w += 2 &* Tile.channels
      remaining &-= 2
    }
    unsafe epilogue.store(
      row: row, channel: channel, count: count, sums: cv_depthwise_sums(sum), header: header)
  }

  /// A multiplier above 1, or the last channels of the input: gathered into scratch first.
  @inline(never)
  @unsafe private func gatheredTile(
    _ base: UnsafePointer<Int8>, _ taps: TapOffsets, _ header: UnsafeRawPointer, row: Int,
    channel: Int, count: Int
  ) {
    let multiplier = geometry.outputChannels / geometry.inputChannels
    let gathered = unsafe taps.gather.assumingMemoryBound(to: Int8.self)
    var w = unsafe (header + 3 &* Tile.channels &* 4).assumingMemoryBound(
      to: cv_depthwise_weight.self)
    var sum = SIMD16<Int32>()
    var tap = 0
    // In bounds: lanes beyond `count` repeat the last channel; their weights are zero.
    while tap < taps.count {
      var lane = 0
      while lane < Tile.channels {
        let output = channel &+ min(lane, count &- 1)
        let source = multiplier == 1 ? output : output / multiplier
        unsafe gathered[lane] = base[taps.offsets[tap] &+ source]
        unsafe gathered[Tile.channels &+ lane] = base[taps.offsets[tap &+ 1] &+ source]
        lane &+= 1
      }
      let x0 = unsafe cv_load_s8x16(gathered)
      let x1 = unsafe cv_load_s8x16(gathered + Tile.channels)
      sum = unsafe cv_depthwise_dot(sum, x0, x1, w)
      unsafe w += 2 &* Tile.channels
      tap &+= 2
    }
    unsafe epilogue.store(
      row: row, channel: channel, count: count, sums: cv_depthwise_sums(sum), header: header)
  }
}
