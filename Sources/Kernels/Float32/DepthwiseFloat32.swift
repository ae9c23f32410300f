import CVector
import KernelInterface

/// Float32 depthwise convolution, 16 channels at a time.
///
/// `output[p][c] = clamp(Σ weight[t][c] · input[tap t of p][c / multiplier] + bias[c])`
func depthwiseFloat32(_ arguments: ConvolutionFloat32Arguments, _ range: WorkRange) {
  let geometry = arguments.geometry
  // Sound: the maker of the arguments vouches for the pointers.
  var taps = unsafe TapOffsets(
    geometry, scratch: arguments.scratch, elementBytes: 4, origin: UnsafeRawPointer(arguments.input)
  )
  unsafe taps.padding.initializeMemory(
    as: Float.self, repeating: 0, count: geometry.inputChannels)
  let weights = unsafe arguments.weights.assumingMemoryBound(to: Float.self)
  let kernel = unsafe DepthwiseFloat32(arguments)
  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    unsafe taps.move(to: row)
    var panel = range.panels.lowerBound
    while panel < range.panels.upperBound {
      let header = unsafe weights + panel &* (geometry.taps &+ 1) &* Tile.channels
      let channel = panel &* Tile.channels
      let count = min(Tile.channels, geometry.outputChannels &- channel)
      if geometry.inputChannels == geometry.outputChannels && count == Tile.channels {
        unsafe kernel.tile(taps, header, row: row, channel: channel)
      } else {
        unsafe kernel.gatheredTile(taps, header, row: row, channel: channel, count: count)
      }
      panel &+= 1
    }
    row &+= 1
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

  @inline(__always)
  @unsafe func tile(_ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int, channel: Int) {
    let base = unsafe taps.base.assumingMemoryBound(to: Float.self) + channel
    var w = unsafe header + Tile.channels
    var (low, high) = unsafe (cv_load_f32x8(header), cv_load_f32x8(header + 8))
    var tap = 0
    // In bounds: every offset leads to an input pixel or to the stand-in for padding, each as long as the channels.
    while tap < tapCount {
      let place = unsafe base + taps.offsets[tap]
      low = unsafe cv_multiply_add(low, cv_load_f32x8(place), cv_load_f32x8(w))
      high = unsafe cv_multiply_add(high, cv_load_f32x8(place + 8), cv_load_f32x8(w + 8))
      unsafe w += Tile.channels
      tap &+= 1
    }
    unsafe store(low, high, row: row, channel: channel, count: Tile.channels)
  }

  /// A partial panel, or a multiplier above 1: the inputs are gathered into scratch first.
  @inline(__always)
  @unsafe func gatheredTile(
    _ taps: TapOffsets, _ header: UnsafePointer<Float>, row: Int, channel: Int, count: Int
  ) {
    let base = unsafe taps.base.assumingMemoryBound(to: Float.self)
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
