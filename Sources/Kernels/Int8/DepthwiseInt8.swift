import CVector
import KernelInterface

/// Int8 depthwise convolution, 16 channels at a time, taps in pairs.
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
    scratch: arguments.scratch, epilogue: DequantizingEpilogue(arguments)
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
    let isPlain = geometry.inputChannels == geometry.outputChannels
    let pairs = taps.count / 2
    let panelBytes =
      3 &* Tile.channels &* 4
      &+ pairs &* 2 &* Tile.channels &* MemoryLayout<cv_depthwise_weight>.size
    var image = -1
    var row = range.rows.lowerBound
    while row < range.rows.upperBound {
      unsafe taps.move(to: row)
      if taps.image != image {
        image = taps.image
        unsafe taps.padding.initializeMemory(
          as: Int8.self, repeating: epilogue.paddingCode(image: image),
          count: geometry.inputChannels)
      }
      var panel = range.panels.lowerBound
      while panel < range.panels.upperBound {
        let header = unsafe weights + panel &* panelBytes
        let channel = panel &* Tile.channels
        let count = min(Tile.channels, geometry.outputChannels &- channel)
        if !isPlain {
          unsafe gatheredTile(taps, pairs, header, row: row, channel: channel, count: count)
        } else if count == Tile.channels {
          unsafe tile(taps, pairs, header, row: row, channel: channel)
        } else {
          unsafe partialTile(taps, pairs, header, row: row, channel: channel, count: count)
        }
        panel &+= 1
      }
      row &+= 1
    }
  }

  /// 16 channels of one output pixel. Bound: per pair of taps two loads that widen, two interleaves, two multiplies.
  @inline(__always)
  @unsafe private func tile(
    _ taps: TapOffsets, _ pairs: Int, _ header: UnsafeRawPointer, row: Int, channel: Int
  ) {
    let base = unsafe taps.base.assumingMemoryBound(to: Int8.self) + channel
    var offsets = unsafe taps.offsets
    var w = unsafe (header + 3 &* Tile.channels &* 4).assumingMemoryBound(to: cv_depthwise_weight.self)
    var (sum0, sum1) = (SIMD8<Int32>(), SIMD8<Int32>())
    var remaining = pairs
    // In bounds: every offset leads to an input pixel or to the stand-in for padding, each as long as the channels.
    while remaining > 0 {
      let x0 = unsafe cv_load_s8x16(base + offsets[0])
      let x1 = unsafe cv_load_s8x16(base + offsets[1])
      sum0 = unsafe cv_depthwise_dot0(sum0, x0, x1, w)
      sum1 = unsafe cv_depthwise_dot1(sum1, x0, x1, w)
      unsafe offsets += 2
      unsafe w += 2 &* Tile.channels
      remaining &-= 1
    }
    unsafe epilogue.store(
      row: row, channel: channel, count: Tile.channels, low: cv_depthwise_low(sum0, sum1),
      high: cv_depthwise_high(sum0, sum1), header: header)
  }

  /// The last `count` channels of one output pixel, loaded one by one where a vector would run over.
  @inline(__always)
  @unsafe private func partialTile(
    _ taps: TapOffsets, _ pairs: Int, _ header: UnsafeRawPointer, row: Int, channel: Int, count: Int
  ) {
    let base = unsafe taps.base.assumingMemoryBound(to: Int8.self) + channel
    var offsets = unsafe taps.offsets
    var w = unsafe (header + 3 &* Tile.channels &* 4).assumingMemoryBound(to: cv_depthwise_weight.self)
    var (sum0, sum1) = (SIMD8<Int32>(), SIMD8<Int32>())
    var remaining = pairs
    // In bounds: as in `tile`, and only `count` bytes are touched.
    while remaining > 0 {
      let x0 = unsafe cv_load_s8_partial(base + offsets[0], count)
      let x1 = unsafe cv_load_s8_partial(base + offsets[1], count)
      sum0 = unsafe cv_depthwise_dot0(sum0, x0, x1, w)
      sum1 = unsafe cv_depthwise_dot1(sum1, x0, x1, w)
      unsafe offsets += 2
      unsafe w += 2 &* Tile.channels
      remaining &-= 1
    }
    unsafe epilogue.store(
      row: row, channel: channel, count: count, low: cv_depthwise_low(sum0, sum1),
      high: cv_depthwise_high(sum0, sum1), header: header)
  }

  /// Channels of a multiplier above 1: their inputs are gathered into scratch first.
  @unsafe private func gatheredTile(
    _ taps: TapOffsets, _ pairs: Int, _ header: UnsafeRawPointer, row: Int, channel: Int, count: Int
  ) {
    let multiplier = geometry.outputChannels / geometry.inputChannels
    let base = unsafe taps.base.assumingMemoryBound(to: Int8.self)
    let gathered = unsafe taps.gather.assumingMemoryBound(to: Int8.self)
    var w = unsafe (header + 3 &* Tile.channels &* 4).assumingMemoryBound(to: cv_depthwise_weight.self)
    var (sum0, sum1) = (SIMD8<Int32>(), SIMD8<Int32>())
    var pair = 0
    // In bounds: lanes beyond `count` repeat the last channel; their weights are zero.
    while pair < pairs {
      var lane = 0
      while lane < Tile.channels {
        let source = (channel &+ min(lane, count &- 1)) / multiplier
        unsafe gathered[lane] = base[taps.offsets[2 &* pair] &+ source]
        unsafe gathered[Tile.channels &+ lane] = base[taps.offsets[2 &* pair &+ 1] &+ source]
        lane &+= 1
      }
      let x0 = unsafe cv_load_s8x16(gathered)
      let x1 = unsafe cv_load_s8x16(gathered + Tile.channels)
      sum0 = unsafe cv_depthwise_dot0(sum0, x0, x1, w)
      sum1 = unsafe cv_depthwise_dot1(sum1, x0, x1, w)
      unsafe w += 2 &* Tile.channels
      pair &+= 1
    }
    unsafe epilogue.store(
      row: row, channel: channel, count: count, low: cv_depthwise_low(sum0, sum1),
      high: cv_depthwise_high(sum0, sum1), header: header)
  }
}
