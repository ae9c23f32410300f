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
  let lowest: SIMD16<Float>
  let highest: SIMD16<Float>
  let output: UnsafeMutablePointer<Float>
  let outputRowStride: Int

  @unsafe init(_ arguments: ConvolutionFloat32Arguments) {
    tapCount = arguments.geometry.taps
    multiplier = arguments.geometry.outputChannels / arguments.geometry.inputChannels
    lowest = SIMD16(repeating: arguments.bounds.minimum)
    highest = SIMD16(repeating: arguments.bounds.maximum)
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
    let bias = unsafe cv_load_f32x16(header)
    var (sum0, sum1, sum2, sum3) = (bias, bias, bias, bias)
    var w = unsafe header + Tile.channels
    var offset = unsafe taps.offsets
    var remaining = tapCount
    // In bounds: every offset leads to an input pixel or into the padding, and the caller has counted whole vectors.
    while remaining > 0 {
      let v = unsafe cv_load_f32x16(w)
      let place = unsafe first + offset.pointee
      sum0 = unsafe cv_multiply_add_x16(sum0, cv_load_f32x16(place), v)
      sum1 = unsafe cv_multiply_add_x16(sum1, cv_load_f32x16(place + stride), v)
      sum2 = unsafe cv_multiply_add_x16(sum2, cv_load_f32x16(place + 2 &* stride), v)
      sum3 = unsafe cv_multiply_add_x16(sum3, cv_load_f32x16(place + 3 &* stride), v)
      unsafe w += Tile.channels
      unsafe offset += 1
      remaining &-= 1
    }
    unsafe store(sum0, row: row, channel: channel, count: count)
    unsafe store(sum1, row: row &+ 1, channel: channel, count: count)
    unsafe store(sum2, row: row &+ 2, channel: channel, count: count)
    unsafe store(sum3, row: row &+ 3, channel: channel, count: count)
  }

  /// 16 channels of one output pixel, as `tile4`.
  @inline(__always)
  @unsafe private func tile1(
    _ first: UnsafePointer<Float>, _ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int,
    channel: Int, count: Int
  ) {
    var w = unsafe header + Tile.channels
    var sum = unsafe cv_load_f32x16(header)
    var tap = 0
    // In bounds: as in `tile4`.
    while tap < tapCount {
      let place = unsafe first + taps.offsets[tap]
      sum = unsafe cv_multiply_add_x16(sum, cv_load_f32x16(place), cv_load_f32x16(w))
      unsafe w += Tile.channels
      tap &+= 1
    }
    unsafe store(sum, row: row, channel: channel, count: count)
  }

  /// A multiplier above 1, or the last channels of the input: gathered into scratch first.
  @inline(never)
  @unsafe private func gatheredTile(
    _ base: UnsafePointer<Float>, _ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int,
    channel: Int, count: Int
  ) {
    let gathered = unsafe taps.gather.assumingMemoryBound(to: Float.self)
    var w = unsafe header + Tile.channels
    var sum = unsafe cv_load_f32x16(header)
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
      sum = unsafe cv_multiply_add_x16(sum, cv_load_f32x16(gathered), cv_load_f32x16(w))
      unsafe w += Tile.channels
      tap &+= 1
    }
    unsafe store(sum, row: row, channel: channel, count: count)
  }

  @inline(__always)
  @unsafe private func store(
    _ sums: SIMD16<Float>, row: Int, channel: Int, count: Int
  ) {
    unsafe storeFloat32(
      output + (row &* outputRowStride &+ channel),
      cv_clamp_keeping_nan_x16(sums, lowest, highest), count)
  }
}
