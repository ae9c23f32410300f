import CVector
import KernelInterface

/// Packs int8 weights for `convolutionInt8` and `convolutionHybrid`; see `PackedWeights`.
///
/// The codes stay as they are; a zero point of their own is known to the offsets, and the kernel does the rest.
func packConvolutionInt8(_ arguments: PackInt8Arguments) {
  let depth = arguments.depth
  let group = Tile.depthGroup
  let paddedDepth = (depth &+ group &- 1) / group &* group
  let panelBytes = 3 &* Tile.channels &* 4 &+ paddedDepth &* Tile.channels
  var first = 0
  // Sound: every index stays below the counts that the maker of the arguments vouches for.
  while first < arguments.outputChannels {
    let panel = unsafe arguments.destination + first / Tile.channels &* panelBytes
    let codes = unsafe (panel + 3 &* Tile.channels &* 4).assumingMemoryBound(to: Int8.self)
    var lane = 0
    while lane < Tile.channels {
      let channel = first &+ lane
      var sum: Int32 = 0
      var k = 0
      while k < paddedDepth {
        var code: Int8 = 0
        if channel < arguments.outputChannels && k < depth {
          code = unsafe arguments.weights[channel &* depth &+ k]
        }
        sum &+= Int32(code)
        unsafe codes[(k / group &* Tile.channels &+ lane) &* group &+ k % group] = code
        k &+= 1
      }
      sum &-= arguments.weightZeroPoint &* Int32(truncatingIfNeeded: depth)
      unsafe packHeaderInt8(
        arguments, panel, lane: lane, channel: channel, weightSum: sum,
        activationOffset: Tile.activationOffset)
      lane &+= 1
    }
    first &+= Tile.channels
  }
}

/// Packs int8 weights `[taps][outputChannels]` for `depthwiseInt8` and `depthwiseHybrid`; see `PackedDepthwiseWeights`.
///
/// They are stored less their zero point.
func packDepthwiseInt8(_ arguments: PackInt8Arguments) {
  let pairs = (arguments.depth &+ 1) / 2
  let elementBytes = MemoryLayout<cv_depthwise_weight>.size
  let panelBytes = 3 &* Tile.channels &* 4 &+ pairs &* 2 &* Tile.channels &* elementBytes
  var first = 0
  // Sound: every index stays below the counts that the maker of the arguments vouches for.
  while first < arguments.outputChannels {
    let panel = unsafe arguments.destination + first / Tile.channels &* panelBytes
    let codes = unsafe (panel + 3 &* Tile.channels &* 4).assumingMemoryBound(
      to: cv_depthwise_weight.self)
    var lane = 0
    while lane < Tile.channels {
      let channel = first &+ lane
      var sum: Int32 = 0
      var tap = 0
      while tap < pairs &* 2 {
        var weight: Int32 = 0
        if channel < arguments.outputChannels && tap < arguments.depth {
          let code = unsafe arguments.weights[tap &* arguments.outputChannels &+ channel]
          weight = Int32(code) &- arguments.weightZeroPoint
        }
        sum &+= weight
        let place = tap / 2 &* 2 &* Tile.channels &+ cv_depthwise_index(tap % 2, lane)
        unsafe codes[place] = cv_depthwise_weight(truncatingIfNeeded: weight)
        tap &+= 1
      }
      unsafe packHeaderInt8(
        arguments, panel, lane: lane, channel: channel, weightSum: sum, activationOffset: 0)
      lane &+= 1
    }
    first &+= Tile.channels
  }
}

/// Writes offset, scale and bias or tie offset of one channel into a panel's header; zeros beyond the last channel.
@unsafe private func packHeaderInt8(
  _ arguments: PackInt8Arguments, _ panel: UnsafeMutableRawPointer, lane: Int, channel: Int,
  weightSum: Int32, activationOffset: Int32
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
    let zeroPoint = arguments.inputZeroPoint.map { $0 &+ activationOffset }
    offset &-= (zeroPoint ?? 1) &* weightSum
  }
  unsafe panel.storeBytes(of: offset, toByteOffset: lane &* 4, as: Int32.self)
  unsafe panel.storeBytes(of: scale, toByteOffset: (Tile.channels &+ lane) &* 4, as: Float.self)
  unsafe panel.storeBytes(of: bias, toByteOffset: (2 &* Tile.channels &+ lane) &* 4, as: Float.self)
}
