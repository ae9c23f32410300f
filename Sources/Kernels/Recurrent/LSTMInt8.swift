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
  unsafe sum(arguments.forgetGate, arguments.sizes, input, hidden, cells, into: forget)
  unsafe sum(arguments.cellGate, arguments.sizes, input, hidden, cells, into: candidate)
  unsafe sum(arguments.outputGate, arguments.sizes, input, hidden, cells, into: exit)
  if !arguments.isCoupled {
    unsafe sum(arguments.inputGate, arguments.sizes, input, hidden, cells, into: entry)
  }
  // The hidden state itself, or what is projected to it.
  let codes = unsafe arguments.projection == nil
    ? hidden : UnsafeMutableRawPointer(exit + count).assumingMemoryBound(to: Int8.self)
  let clip = Int32(arguments.cellClip)
  var i = 0
  while i < count {
    let f = unsafe fixedPointLogistic(forget[i])
    let g = unsafe fixedPointTanh(candidate[i], integerBits: 3)
    let admitted =
      arguments.isCoupled ? Int16.max &- f : unsafe fixedPointLogistic(entry[i])
    let kept = unsafe roundedShift(Int32(f) &* Int32(cells[i]), 15)
    let added = roundedShift(Int32(admitted) &* Int32(g), 30 &+ arguments.cellExponent)
    var cell = saturated16(kept &+ Int32(Int16(truncatingIfNeeded: added)))
    if clip > 0 { cell = Int16(min(max(Int32(cell), -clip), clip)) }
    unsafe cells[i] = cell
    let squashed = fixedPointTanh(cell, integerBits: 15 &+ arguments.cellExponent)
    let product = unsafe Int32(fixedPointLogistic(exit[i])) &* Int32(squashed)
    let code = arguments.hiddenScale.apply(product) &+ arguments.hiddenZeroPoint
    unsafe codes[i] = saturated8(code)
    i &+= 1
  }
  if let projection = arguments.projection {
    unsafe project(projection, arguments.sizes, codes, into: hidden)
  }
}

@inline(__always)
private func saturated8(_ value: Int32) -> Int8 {
  Int8(truncatingIfNeeded: min(max(value, -128), 127))
}

@unsafe private func project(
  _ projection: LSTMProjectionInt8, _ sizes: LSTMSizes, _ codes: UnsafePointer<Int8>,
  into output: UnsafeMutablePointer<Int8>
) {
  let clip = Int32(projection.clip)
  var i = 0
  while i < sizes.outputs {
    let products = unsafe dotInt8(projection.weights + i &* sizes.cells, codes, sizes.cells)
    let sum = unsafe projection.bias[i] &+ products
    var code = Int32(saturated8(projection.scale.apply(sum) &+ projection.zeroPoint))
    if clip > 0 { code = min(max(code, -clip), clip) }
    unsafe output[i] = Int8(truncatingIfNeeded: code)
    i &+= 1
  }
}

/// The sums of a gate in units of 2⁻¹²: first the input's part, then the recurrent one, then the cell's, each
/// saturated.
@unsafe private func sum(
  _ gate: LSTMGateInt8, _ sizes: LSTMSizes, _ input: UnsafePointer<Int8>,
  _ hidden: UnsafePointer<Int8>, _ cells: UnsafePointer<Int16>,
  into output: UnsafeMutablePointer<Int16>
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
  if let peephole = gate.peephole {
    i = 0
    while i < sizes.cells {
      let product = unsafe Int32(peephole.weights[i]) &* Int32(cells[i])
      unsafe output[i] = saturated16(peephole.scale.apply(product) &+ Int32(output[i]))
      i &+= 1
    }
  }
  if let normalization = gate.normalization {
    unsafe normalize(output, sizes.cells, by: normalization)
  }
}

/// Brings the gates to mean 0 and deviation 1 in 1024ths, scales them and adds their bias.
@unsafe private func normalize(
  _ values: UnsafeMutablePointer<Int16>, _ count: Int, by arguments: LSTMGateInt8.Normalization
) {
  var sum: Int64 = 0
  var squares: Int64 = 0
  var i = 0
  while i < count {
    let value = unsafe Int64(values[i])
    sum &+= value
    squares &+= value &* value
    i &+= 1
  }
  let mean = Int32(truncatingIfNeeded: sum &* 1024 / Int64(count))
  let unit: Int64 = 1 << 20
  let spread = squares &* (unit / Int64(count)) &- Int64(mean) &* Int64(mean)
  let variance = Int32(truncatingIfNeeded: spread / unit)
  let scale = FixedPointScale.inverseRoot(of: variance < 1 ? arguments.varianceMinimum : variance)
  i = 0
  while i < count {
    let rescaled = unsafe scale.apply(1024 &* Int32(values[i]) &- mean)
    let weighted = unsafe rescaled &* Int32(arguments.coefficients[i]) &+ arguments.bias[i]
    let halved = Int64(weighted) &+ (weighted > 0 ? 512 : -512)
    unsafe values[i] = saturated16(
      arguments.scale.apply(Int32(truncatingIfNeeded: halved / 1024)))
    i &+= 1
  }
}
