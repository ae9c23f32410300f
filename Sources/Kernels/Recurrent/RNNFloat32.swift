import CVector
import KernelInterface

/// Runs a sequence through a plain recurrent layer: `h = f(W x + R h + b)`.
func rnnFloat32(_ arguments: RNNFloat32Arguments) {
  let sizes = arguments.sizes
  let bounds = arguments.bounds
  var step = 0
  while step < sizes.steps {
    var batch = 0
    while batch < sizes.batches {
      // Sound: all offsets stay within the extents that the maker of the arguments vouches for.
      let row = sizes.row(batch: batch, step: step)
      let input = unsafe arguments.input + row &* sizes.inputs
      let state = unsafe arguments.state + batch &* sizes.outputs
      let next = unsafe arguments.output + row &* sizes.outputs
      var unit = 0
      while unit < sizes.outputs {
        let fromInput = unsafe dotFloat32(
          arguments.inputWeights + unit &* sizes.inputs, input, sizes.inputs)
        let fromState = unsafe dotFloat32(
          arguments.recurrentWeights + unit &* sizes.outputs, state, sizes.outputs)
        let sum = unsafe arguments.bias[unit] + fromInput + fromState
        let value = arguments.squashes ? cv_hyperbolic_tangent(sum) : sum
        unsafe next[unit] =
          value > bounds.maximum ? bounds.maximum : value < bounds.minimum ? bounds.minimum : value
        unit &+= 1
      }
      // Units read the whole state before.
      unsafe cv_copy(state, next, sizes.outputs &* 4)
      batch &+= 1
    }
    step &+= 1
  }
}
