import CVector
import KernelInterface

/// A layer over features and time in float32: each filter's newest feature joins its memory, and a unit sums the
/// products of its filters' memories with their weights of time.
func svdfFloat32(_ arguments: SVDFFloat32Arguments) {
  let sizes = arguments.sizes
  var batch = 0
  // Sound: all offsets stay within the extents that the maker of the arguments vouches for.
  while batch < sizes.batches {
    var filter = 0
    while filter < sizes.filters {
      let index = batch &* sizes.filters &+ filter
      let place = index &* sizes.memory
      let state = unsafe arguments.newState + place
      unsafe cv_copy(state, arguments.oldState + place + 1, (sizes.memory &- 1) &* 4)
      if let weights = unsafe arguments.featureWeights {
        unsafe state[sizes.memory &- 1] = dotFloat32(
          weights + filter &* sizes.inputs, arguments.input + batch &* sizes.inputs, sizes.inputs)
      } else {
        unsafe state[sizes.memory &- 1] = arguments.input[index]
      }
      filter &+= 1
    }
    var unit = 0
    while unit < sizes.units {
      var value = unsafe arguments.bias?[unit] ?? 0
      var filter = unit &* sizes.rank
      while filter < (unit &+ 1) &* sizes.rank {
        unsafe value += dotFloat32(
          arguments.timeWeights + filter &* sizes.memory,
          arguments.newState + (batch &* sizes.filters &+ filter) &* sizes.memory, sizes.memory)
        filter &+= 1
      }
      let bounds = arguments.bounds
      unsafe arguments.output[batch &* sizes.units &+ unit] =
        value > bounds.maximum ? bounds.maximum : value < bounds.minimum ? bounds.minimum : value
      unit &+= 1
    }
    batch &+= 1
  }
}

/// The same of int8 codes.
func svdfInt8(_ arguments: SVDFInt8Arguments) {
  if arguments.hasWideState {
    unsafe svdf(
      arguments, arguments.timeWeights.assumingMemoryBound(to: Int16.self),
      arguments.oldState.assumingMemoryBound(to: Int16.self),
      arguments.newState.assumingMemoryBound(to: Int16.self))
  } else {
    unsafe svdf(
      arguments, arguments.timeWeights.assumingMemoryBound(to: Int8.self),
      arguments.oldState.assumingMemoryBound(to: Int8.self),
      arguments.newState.assumingMemoryBound(to: Int8.self))
  }
}

@inline(__always)
@unsafe private func svdf<Code: FixedWidthInteger>(
  _ arguments: SVDFInt8Arguments, _ timeWeights: UnsafePointer<Code>,
  _ oldState: UnsafePointer<Code>, _ newState: UnsafeMutablePointer<Code>
) {
  let sizes = arguments.sizes
  var batch = 0
  // Sound: all offsets stay within the extents that the maker of the arguments vouches for.
  while batch < sizes.batches {
    let input = unsafe arguments.input + batch &* sizes.inputs
    var filter = 0
    while filter < sizes.filters {
      let place = (batch &* sizes.filters &+ filter) &* sizes.memory
      let state = unsafe newState + place
      unsafe cv_copy(
        state, oldState + place + 1, (sizes.memory &- 1) &* MemoryLayout<Code>.size)
      var sum: Int32 = 0
      var i = 0
      while i < sizes.inputs {
        let code = unsafe Int32(input[i]) &- arguments.inputZeroPoint
        sum = unsafe sum &+ code &* Int32(arguments.featureWeights[filter &* sizes.inputs &+ i])
        i &+= 1
      }
      // The zero point is added after the code is bounded, as the reference has it.
      let code = min(max(arguments.featureScale.apply(sum), Int32(Code.min)), Int32(Code.max))
      unsafe state[sizes.memory &- 1] = Code(truncatingIfNeeded: code &+ arguments.stateZeroPoint)
      filter &+= 1
    }
    var unit = 0
    while unit < sizes.units {
      var sum = unsafe arguments.bias?[unit] ?? 0
      let first = unit &* sizes.rank &* sizes.memory
      let state = unsafe newState + batch &* sizes.filters &* sizes.memory
      var i = first
      while i < first &+ sizes.rank &* sizes.memory {
        let moment = unsafe Int32(state[i]) &- arguments.stateZeroPoint
        sum = unsafe sum &+ moment &* Int32(timeWeights[i])
        i &+= 1
      }
      let bounds = arguments.bounds
      let code = arguments.timeScale.apply(sum) &+ bounds.zeroPoint
      unsafe arguments.output[batch &* sizes.units &+ unit] = Int8(
        truncatingIfNeeded: min(max(code, bounds.minimum), bounds.maximum))
      unit &+= 1
    }
    batch &+= 1
  }
}
