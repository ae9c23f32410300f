import CVector
import KernelInterface

/// Float32 depthwise convolution, 16 channels of up to four neighbouring output pixels at a time.
///
/// `output[p][c] = clamp(Σ weight[t][c] · input[tap t of p][c / multiplier] + bias[c])`
func depthwiseFloat32(_ arguments: ConvolutionFloat32Arguments, _ range: WorkRange) {
  let geometry = arguments.geometry
  // Sound: the maker of the arguments vouches for the pointers.
  var taps = unsafe TapOffsets(
    geometry, scratch: arguments.scratch, elementBytes: 4, origin: UnsafeRawPointer(arguments.input)
  )
  unsafe taps.padding.initializeMemory(as: Float.self, repeating: 0, count: taps.paddingElements)
  let weights = unsafe arguments.weights.assumingMemoryBound(to: Float.self)
  let kernel = unsafe DepthwiseFloat32(arguments)
  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    unsafe taps.move(to: row)
    let run = min(taps.run, range.rows.upperBound &- row)
    var panel = range.panels.lowerBound
    while panel < range.panels.upperBound {
      let header = unsafe weights + panel &* (geometry.taps &+ 1) &* Tile.channels
      let channel = panel &* Tile.channels
      let count = min(Tile.channels, geometry.outputChannels &- channel)
      unsafe kernel.line(taps, header, row: row, run: run, channel: channel, count: count)
      panel &+= 1
    }
    row &+= run
  }
}

// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct DepthwiseFloat32 {
  let tapCount: Int
  let multiplier: Int
  let lowest: SIMD8<Float>
  let highest: SIMD8<Float>
  let output: UnsafeMutablePointer<Float>
  let outputRowStride: Int

  @unsafe init(_ arguments: ConvolutionFloat32Arguments) {
    tapCount = arguments.geometry.taps
    multiplier = arguments.geometry.outputChannels / arguments.geometry.inputChannels
    lowest = SIMD8(repeating: arguments.bounds.minimum)
    highest = SIMD8(repeating: arguments.bounds.maximum)
    unsafe output = arguments.output
    outputRowStride = arguments.outputRowStride
  }

  /// `run` output pixels of one panel.
  @inline(never)
  @unsafe func line(
    _ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int, run: Int, channel: Int, count: Int
  ) {
    // Lanes beyond `count` read what follows: other channels, the next pixel or more padding.
    let whole =
      multiplier == 1
      ? unsafe taps.wholeVectors(of: Tile.channels, from: channel, run: run) : 0
    let base = unsafe taps.base.assumingMemoryBound(to: Float.self)
    let first = unsafe base + channel
    var done = 0
    while done &+ 4 <= whole {
      unsafe tile4(
        first + done &* taps.pixelStride, taps, header, row: row &+ done, channel: channel,
        count: count)
      done &+= 4
    }
    while done < whole {
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

  /// 16 channels of four output pixels. Bound: per tap eight multiply-adds, ten loads of two a cycle.
  @inline(__always)
  @unsafe private func tile4(
    _ first: UnsafePointer<Float>, _ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int,
    channel: Int, count: Int
  ) {
    let stride = taps.pixelStride
    let (low, high) = unsafe (cv_load_f32x8(header), cv_load_f32x8(header + 8))
    var (low0, high0, low1, high1) = (low, high, low, high)
    var (low2, high2, low3, high3) = (low, high, low, high)
    var w = unsafe header + Tile.channels
    var offset = unsafe taps.offsets
    var remaining = tapCount
    // In bounds: every offset leads to an input pixel or into the padding, and the caller has counted whole vectors.
    while remaining > 0 {
      let (w0, w1) = unsafe (cv_load_f32x8(w), cv_load_f32x8(w + 8))
      let x0 = unsafe first + offset.pointee
      let x1 = unsafe x0 + stride
      let x2 = unsafe x1 + stride
      let x3 = unsafe x2 + stride
      low0 = unsafe cv_multiply_add(low0, cv_load_f32x8(x0), w0)
      high0 = unsafe cv_multiply_add(high0, cv_load_f32x8(x0 + 8), w1)
      low1 = unsafe cv_multiply_add(low1, cv_load_f32x8(x1), w0)
      high1 = unsafe cv_multiply_add(high1, cv_load_f32x8(x1 + 8), w1)
      low2 = unsafe cv_multiply_add(low2, cv_load_f32x8(x2), w0)
      high2 = unsafe cv_multiply_add(high2, cv_load_f32x8(x2 + 8), w1)
      low3 = unsafe cv_multiply_add(low3, cv_load_f32x8(x3), w0)
      high3 = unsafe cv_multiply_add(high3, cv_load_f32x8(x3 + 8), w1)
      unsafe w += Tile.channels
      unsafe offset += 1
      remaining &-= 1
    }
    unsafe store(low0, high0, row: row, channel: channel, count: count)
    unsafe store(low1, high1, row: row &+ 1, channel: channel, count: count)
    unsafe store(low2, high2, row: row &+ 2, channel: channel, count: count)
    unsafe store(low3, high3, row: row &+ 3, channel: channel, count: count)
  }

  /// 16 channels of one output pixel, as `tile4`.
  @inline(__always)
  @unsafe private func tile1(
    _ first: UnsafePointer<Float>, _ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int,
    channel: Int, count: Int
  ) {
    var w = unsafe header + Tile.channels
    var (low, high) = unsafe (cv_load_f32x8(header), cv_load_f32x8(header + 8))
    var tap = 0
    // In bounds: as in `tile4`.
    while tap < tapCount {
      let place = unsafe first + taps.offsets[tap]
      low = unsafe cv_multiply_add(low, cv_load_f32x8(place), cv_load_f32x8(w))
      high = unsafe cv_multiply_add(high, cv_load_f32x8(place + 8), cv_load_f32x8(w + 8))
      unsafe w += Tile.channels
      tap &+= 1
    }
    unsafe store(low, high, row: row, channel: channel, count: count)
  }

  /// A multiplier above 1, or the last channels of the input: gathered into scratch first.
  @inline(never)
  @unsafe private func gatheredTile(
    _ base: UnsafePointer<Float>, _ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int,
    channel: Int, count: Int
  ) {
    let gathered = unsafe taps.gather.assumingMemoryBound(to: Float.self)
    var w = unsafe header + Tile.channels
    var (low, high) = unsafe (cv_load_f32x8(header), cv_load_f32x8(header + 8))
    var lane = 0
    while lane < Tile.channels {
      unsafe gathered[lane] = 0
      lane &+= 1
    }
    var tap = 0
    // In bounds: `count` lanes are read, from channels below `inputChannels`.
    while tap < tapCount {
      let place = unsafe base + taps.offsets[tap]
      if multiplier == 1 {
        lane = 0
        while lane < count {
          unsafe gathered[lane] = place[channel &+ lane]
          lane &+= 1
        }
      } else {
        lane = 0
        while lane < count {
          unsafe gathered[lane] = place[(channel &+ lane) / multiplier]
          lane &+= 1
        }
      }
      low = unsafe cv_multiply_add(low, cv_load_f32x8(gathered), cv_load_f32x8(w))
      high = unsafe cv_multiply_add(high, cv_load_f32x8(gathered + 8), cv_load_f32x8(w + 8))
      unsafe w += Tile.channels
      tap &+= 1
    }
    unsafe store(low, high, row: row, channel: channel, count: count)
  }

  @inline(__always)
  @unsafe private func store(
    _ low: SIMD8<Float>, _ high: SIMD8<Float>, row: Int, channel: Int, count: Int
  ) {
    unsafe storeFloat32(
      output + (row &* outputRowStride &+ channel), cv_clamp_keeping_nan(low, lowest, highest),
      cv_clamp_keeping_nan(high, lowest, highest), count)
  }
}
