import KernelInterface

/// Packs float32 weights for `convolutionFloat32`; see `PackedWeights`.
func packConvolutionFloat32(_ arguments: PackFloat32Arguments) {
  // Sound: every index stays below the counts that the maker of the arguments vouches for.
  unsafe packPanels(arguments, channelStride: arguments.depth, depthStride: 1)
}

/// Packs float32 weights `[taps][outputChannels]` for `depthwiseFloat32`; see `PackedDepthwiseWeights`.
func packDepthwiseFloat32(_ arguments: PackFloat32Arguments) {
  // Sound: every index stays below the counts that the maker of the arguments vouches for.
  unsafe packPanels(arguments, channelStride: 1, depthStride: arguments.outputChannels)
}

@unsafe private func packPanels(
  _ arguments: PackFloat32Arguments, channelStride: Int, depthStride: Int
) {
  var destination = unsafe arguments.destination.assumingMemoryBound(to: Float.self)
  var first = 0
  while first < arguments.outputChannels {
    var lane = 0
    while lane < Tile.channels {
      let channel = first &+ lane
      let isChannel = channel < arguments.outputChannels
      var bias: Float = 0
      if isChannel, let values = unsafe arguments.bias { bias = unsafe values[channel] }
      unsafe destination[lane] = bias
      var k = 0
      while k < arguments.depth {
        let place = (k &+ 1) &* Tile.channels &+ lane
        unsafe destination[place] =
          isChannel ? arguments.weights[channel &* channelStride &+ k &* depthStride] : 0
        k &+= 1
      }
      lane &+= 1
    }
    unsafe destination += (arguments.depth &+ 1) &* Tile.channels
    first &+= Tile.channels
  }
}
