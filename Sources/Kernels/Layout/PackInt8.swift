import CVector
import KernelInterface

/// Packs int8 weights for `convolutionInt8` and `convolutionHybrid`; see `PackedWeights`.
///
/// The codes stay as they are; a zero point of their own is known to the offsets, and the kernel does the rest.
func packConvolutionInt8(_ arguments: PackInt8Arguments) {
  let (depth, group) = (arguments.depth, Tile.depthGroup)
  let lineDepth = depth / arguments.lines
  let paddedLineDepth = (lineDepth &+ group &- 1) / group &* group
  let weightBytes = arguments.lines &* paddedLineDepth &* Tile.channels
  let zeroSum = arguments.weightZeroPoint &* Int32(truncatingIfNeeded: depth)
  var panel = unsafe arguments.destination
  var first = 0
  // Sound: every index stays below the counts that the maker of the arguments vouches for.
  while first < arguments.outputChannels {
    let codes = unsafe (panel + 3 &* Tile.channels &* 4).assumingMemoryBound(to: Int8.self)
    let count = min(Tile.channels, arguments.outputChannels &- first)
    unsafe codes.initialize(repeating: 0, count: weightBytes)
    var sums = SIMD16<Int32>()
    if arguments.depthStride != 1 {
      sums = unsafe packAcross(
        arguments, arguments.weights + first &* arguments.channelStride, count, to: codes)
    } else {
      var lane = 0
      while lane < count {
        sums[lane] = unsafe packAlong(
          arguments.weights + (first &+ lane) &* arguments.channelStride, lines: arguments.lines,
          lineDepth: lineDepth, to: codes + lane &* group)
        lane &+= 1
      }
    }
    var lane = 0
    while lane < Tile.channels {
      unsafe packHeaderInt8(
        arguments, panel, lane: lane, channel: first &+ lane, weightSum: sums[lane] &- zeroSum)
      lane &+= 1
    }
    unsafe panel += 3 &* Tile.channels &* 4 &+ weightBytes
    first &+= Tile.channels
  }
}

/// The codes of one channel, which follow each other, to its lane of a panel; returns their sum.
@inline(__always)
@unsafe private func packAlong(
  _ weights: UnsafePointer<Int8>, lines: Int, lineDepth: Int, to codes: UnsafeMutablePointer<Int8>
) -> Int32 {
  let group = Tile.depthGroup
  let whole = lineDepth / group &* group
  var (source, place) = unsafe (weights, codes)
  var (sum, line) = (Int32(0), 0)
  while line < lines {
    var k = 0
    while k < whole {
      unsafe cv_copy_depth_group(place, source + k)
      unsafe place += Tile.channels &* group
      k &+= group
    }
    if k < lineDepth {
      while k < lineDepth {
        unsafe place[k &- whole] = source[k]
        k &+= 1
      }
      unsafe place += Tile.channels &* group
    }
    k = 0
    while k < lineDepth {
      unsafe sum &+= Int32(source[k])
      k &+= 1
    }
    unsafe source += lineDepth
    line &+= 1
  }
  return sum
}

/// The codes of `count` (1 … 16) channels that lie beside each other; returns their sums.
@inline(__always)
@unsafe private func packAcross(
  _ arguments: PackInt8Arguments, _ weights: UnsafePointer<Int8>, _ count: Int,
  to codes: UnsafeMutablePointer<Int8>
) -> SIMD16<Int32> {
  let (depth, stride, group) = (arguments.depth, arguments.depthStride, Tile.depthGroup)
  var (source, place) = unsafe (weights, codes)
  var (sums, k) = (SIMD16<Int32>(), 0)
  while k < depth {
    let left = depth &- k
    let x0 = unsafe loadInt8(source, count)
    let x1 = unsafe left > 1 ? loadInt8(source + stride, count) : SIMD16()
    let x2 = unsafe group == 4 && left > 2 ? loadInt8(source + 2 &* stride, count) : SIMD16()
    let x3 = unsafe group == 4 && left > 3 ? loadInt8(source + 3 &* stride, count) : SIMD16()
    sums = sums &+ (cv_widen_x16(x0) &+ cv_widen_x16(x1)) &+ (cv_widen_x16(x2) &+ cv_widen_x16(x3))
    unsafe cv_store_depth_group(place, x0, x1, x2, x3)
    unsafe source += group &* stride
    unsafe place += Tile.channels &* group
    k &+= group
  }
  return sums
}

/// Packs int8 weights `[taps][outputChannels]` for `depthwiseInt8` and `depthwiseHybrid`; see `PackedDepthwiseWeights`.
///
/// They are stored less their zero point, or with it beside them.
func packDepthwiseInt8(_ arguments: PackInt8Arguments) {
  let layout = PackedDepthwiseWeights(
    outputChannels: arguments.outputChannels, taps: arguments.depth,
    lines: Tile.depthwiseLines == 1 ? nil : arguments.lines, elementBytes: 2)
  var panel = unsafe arguments.destination
  var first = 0
  // Sound: every index stays below the counts that the maker of the arguments vouches for.
  while first < arguments.outputChannels {
    let place = unsafe panel + layout.headerBytes
    unsafe place.initializeMemory(
      as: UInt8.self, repeating: 0, count: layout.panelBytes &- layout.headerBytes)
    var lane = 0
    while lane < Tile.channels {
      let channel = first &+ lane
      var sum: Int32 = 0
      var tap = 0
      while channel < arguments.outputChannels && tap < arguments.depth {
        let code = unsafe arguments.weights[tap &* arguments.outputChannels &+ channel]
        let weight = Int32(code) &- arguments.weightZeroPoint
        sum &+= weight
        if Tile.depthwiseLines == 1 {
          unsafe storePaired(weight, place, tap: tap, lane: lane)
        } else {
          unsafe storeInColumn(
            code, Int8(truncatingIfNeeded: arguments.weightZeroPoint), place, tap: tap, lane: lane,
            columns: arguments.depth / arguments.lines,
            partBytes: layout.paddedTaps &* Tile.channels)
        }
        tap &+= 1
      }
      unsafe packHeaderInt8(arguments, panel, lane: lane, channel: channel, weightSum: sum)
      lane &+= 1
    }
    unsafe panel += layout.panelBytes
    first &+= Tile.channels
  }
}

/// Two taps × 16 channels at a time, int16.
@unsafe private func storePaired(
  _ weight: Int32, _ place: UnsafeMutableRawPointer, tap: Int, lane: Int
) {
  let index = tap / 2 &* 2 &* Tile.channels &+ cv_depthwise_index(tap % 2, lane)
  unsafe place.assumingMemoryBound(to: Int16.self)[index] = Int16(truncatingIfNeeded: weight)
}

/// Four taps of a column × 16 channels at a time, int8: the codes, and in the second part their zero point.
@unsafe private func storeInColumn(
  _ code: Int8, _ zeroPoint: Int8, _ place: UnsafeMutableRawPointer, tap: Int, lane: Int,
  columns: Int, partBytes: Int
) {
  let line = tap / columns
  let column = tap &- line &* columns
  let index = ((line / 4 &* columns &+ column) &* Tile.channels &+ lane) &* 4 &+ line % 4
  let codes = unsafe place.assumingMemoryBound(to: Int8.self)
  unsafe codes[index] = code
  unsafe codes[partBytes &+ index] = zeroPoint
}

/// Writes offset, scale and bias or tie offset of one channel into a panel's header; zeros beyond the last channel.
@unsafe private func packHeaderInt8(
  _ arguments: PackInt8Arguments, _ panel: UnsafeMutableRawPointer, lane: Int, channel: Int,
  weightSum: Int32
) {
  var offset: Int32 = 0
  var scale: Float = 0
  var bias: Float = 0
  if channel < arguments.outputChannels {
    scale = unsafe arguments.scales[arguments.scales.count == 1 ? 0 : channel]
    if let values = unsafe arguments.floatBias { bias = unsafe values[channel] }
    if unsafe !arguments.tieOffsets.isEmpty {
      bias = unsafe arguments.tieOffsets[arguments.tieOffsets.count == 1 ? 0 : channel]
    }
    if let values = unsafe arguments.bias { offset = unsafe values[channel] }
    // A dynamic-range sum is completed by the row's own zero point times −Σ weight.
    let zeroPoint = arguments.inputZeroPoint.map { $0 &+ Tile.activationOffset }
    offset &-= (zeroPoint ?? 1) &* weightSum
  }
  unsafe panel.storeBytes(of: offset, toByteOffset: lane &* 4, as: Int32.self)
  unsafe panel.storeBytes(of: scale, toByteOffset: (Tile.channels &+ lane) &* 4, as: Float.self)
  unsafe panel.storeBytes(of: bias, toByteOffset: (2 &* Tile.channels &+ lane) &* 4, as: Float.self)
}
