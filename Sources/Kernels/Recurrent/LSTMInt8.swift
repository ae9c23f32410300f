import CVector
import KernelInterface

/// Runs a sequence through an int8 long short-term memory with 16-bit gates and cells.
///
/// Gates sum in units of 2⁻¹², are squashed to 2⁻¹⁵, and products of those are rounded to the cell's units.
/// - Source: the integer arithmetic of TensorFlow Lite's reference kernel, bit for bit.
func lstmInt8(_ arguments: LSTMInt8Arguments) {
  let sizes = arguments.sizes
  var step = 0
  while step < sizes.steps {
    var batch = 0
    while batch < sizes.batches {
      // Sound: all offsets stay within the extents that the maker of the arguments vouches for.
      let row = sizes.row(batch: batch, step: step)
      unsafe advance(
        arguments, input: arguments.input + row &* sizes.inputs,
        hidden: arguments.outputState + batch &* sizes.outputs,
        cells: arguments.cellState + batch &* sizes.cells)
      unsafe cv_copy(
        arguments.output + row &* sizes.outputs, arguments.outputState + batch &* sizes.outputs,
        sizes.outputs)
      batch &+= 1
    }
    step &+= 1
  }
}

@unsafe private func advance(
  _ arguments: LSTMInt8Arguments, input: UnsafePointer<Int8>,
  hidden: UnsafeMutablePointer<Int8>, cells: UnsafeMutablePointer<Int16>
) {
  let count = arguments.sizes.cells
  let entry = unsafe arguments.scratch
  let forget = unsafe entry + count
  let candidate = unsafe forget + count
  let exit = unsafe candidate + count
  unsafe sum(arguments.forgetGate, arguments.sizes, input, hidden, into: forget)
  unsafe sum(arguments.cellGate, arguments.sizes, input, hidden, into: candidate)
  unsafe sum(arguments.outputGate, arguments.sizes, input, hidden, into: exit)
  if let gate = arguments.inputGate {
    unsafe sum(gate, arguments.sizes, input, hidden, into: entry)
  }
  let clip = Int32(arguments.cellClip)
  var i = 0
  while i < count {
    let f = unsafe fixedPointLogistic(forget[i])
    let g = unsafe fixedPointTanh(candidate[i], integerBits: 3)
    let admitted =
      arguments.inputGate == nil ? Int16.max &- f : unsafe fixedPointLogistic(entry[i])
    let kept = unsafe roundedShift(Int32(f) &* Int32(cells[i]), 15)
    let added = roundedShift(Int32(admitted) &* Int32(g), 30 &+ arguments.cellExponent)
    var cell = saturated16(kept &+ Int32(Int16(truncatingIfNeeded: added)))
    if clip > 0 { cell = Int16(min(max(Int32(cell), -clip), clip)) }
    unsafe cells[i] = cell
    let squashed = fixedPointTanh(cell, integerBits: 15 &+ arguments.cellExponent)
    let product = unsafe Int32(fixedPointLogistic(exit[i])) &* Int32(squashed)
    let code = arguments.outputScale.apply(product) &+ arguments.outputZeroPoint
    unsafe hidden[i] = Int8(truncatingIfNeeded: min(max(code, -128), 127))
    i &+= 1
  }
}

/// The sums of a gate in units of 2⁻¹²: first the input's part, then the recurrent one, each saturated.
@unsafe private func sum(
  _ gate: LSTMGateInt8, _ sizes: LSTMSizes, _ input: UnsafePointer<Int8>,
  _ hidden: UnsafePointer<Int8>, into output: UnsafeMutablePointer<Int16>
) {
  var i = 0
  while i < sizes.cells {
    let products = unsafe dotInt8(gate.inputWeights + i &* sizes.inputs, input, sizes.inputs)
    let recurrent = unsafe dotInt8(
      gate.recurrentWeights + i &* sizes.outputs, hidden, sizes.outputs)
    let fromInput = unsafe gate.inputBias[i] &+ products
    let fromHidden = unsafe gate.recurrentBias[i] &+ recurrent
    let first = saturated16(gate.inputScale.apply(fromInput))
    unsafe output[i] = saturated16(gate.recurrentScale.apply(fromHidden) &+ Int32(first))
    i &+= 1
  }
}
