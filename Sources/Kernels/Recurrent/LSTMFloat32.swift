import CVector
import KernelInterface

/// Runs a sequence through a float32 long short-term memory, one moment of one sequence at a time.
///
/// With σ the logistic function and ⊙ elementwise: `i, f, o = σ(W·x + R·h + p ⊙ c + b)`, `g = tanh(W·x + R·h + b)`,
/// `c ← f ⊙ c + i ⊙ g`, `h ← P · (o ⊙ tanh c) + q`; the output gate sees the new `c`. Layer normalisation brings the
/// sums of a gate to mean 0 and variance 1, and scales them, before the bias is added.
func lstmFloat32(_ arguments: LSTMFloat32Arguments) {
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
        sizes.outputs &* 4)
      batch &+= 1
    }
    step &+= 1
  }
}

@unsafe private func advance(
  _ arguments: LSTMFloat32Arguments, input: UnsafePointer<Float>,
  hidden: UnsafeMutablePointer<Float>, cells: UnsafeMutablePointer<Float>
) {
  let count = arguments.sizes.cells
  let entry = unsafe arguments.scratch
  let forget = unsafe entry + count
  let candidate = unsafe forget + count
  let exit = unsafe candidate + count
  unsafe sum(arguments.forgetGate, arguments.sizes, input, hidden, cells, into: forget)
  unsafe sum(arguments.cellGate, arguments.sizes, input, hidden, cells, into: candidate)
  if let gate = arguments.inputGate {
    unsafe sum(gate, arguments.sizes, input, hidden, cells, into: entry)
  }
  unsafe updateCells(
    cells, count, entry: arguments.inputGate == nil ? nil : UnsafePointer(entry), forget: forget,
    candidate: candidate, clip: arguments.cellClip)
  unsafe sum(arguments.outputGate, arguments.sizes, input, hidden, cells, into: exit)
  unsafe emit(
    cells, count, exit: exit, into: arguments.projection == nil ? hidden : entry)
  unsafe project(arguments, entry, into: hidden)
}

/// `c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g)`, bounded; without an entry gate, `1 − σ(f)` admits.
@unsafe func updateCells(
  _ cells: UnsafeMutablePointer<Float>, _ count: Int, entry: UnsafePointer<Float>?,
  forget: UnsafePointer<Float>, candidate: UnsafePointer<Float>, clip bound: Float
) {
  let clip = SIMD16(repeating: bound)
  var i = 0
  while i < count {
    let n = min(16, count &- i)
    let f = unsafe logisticFloat32(loadFloat32x16(forget + i, n))
    let g = unsafe hyperbolicTangentFloat32(loadFloat32x16(candidate + i, n))
    var admitted = SIMD16(repeating: 1) - f
    if let entry = unsafe entry { admitted = unsafe logisticFloat32(loadFloat32x16(entry + i, n)) }
    let value = unsafe f * loadFloat32x16(cells + i, n) + admitted * g
    unsafe storeFloat32(
      cells + i, cv_clamp_keeping_nan_x16(value, SIMD16(repeating: 0) - clip, clip), n)
    i &+= 16
  }
}

/// `σ(o) ⊙ tanh(c)`.
@unsafe func emit(
  _ cells: UnsafePointer<Float>, _ count: Int, exit: UnsafePointer<Float>,
  into target: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i < count {
    let n = min(16, count &- i)
    let o = unsafe logisticFloat32(loadFloat32x16(exit + i, n))
    unsafe storeFloat32(target + i, o * hyperbolicTangentFloat32(loadFloat32x16(cells + i, n)), n)
    i &+= 16
  }
}

/// `W·x + R·h + p ⊙ c`, normalised where the gate is, plus the bias.
@unsafe private func sum(
  _ gate: LSTMGateFloat32, _ sizes: LSTMSizes, _ input: UnsafePointer<Float>,
  _ hidden: UnsafePointer<Float>, _ cells: UnsafePointer<Float>,
  into output: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i < sizes.cells {
    var value = unsafe dotFloat32(gate.inputWeights + i &* sizes.inputs, input, sizes.inputs)
    unsafe value += dotFloat32(gate.recurrentWeights + i &* sizes.outputs, hidden, sizes.outputs)
    if let peephole = unsafe gate.peephole { unsafe value += peephole[i] * cells[i] }
    unsafe output[i] = value
    i &+= 1
  }
  if let coefficients = unsafe gate.normalization {
    unsafe normalize(output, coefficients, sizes.cells)
  }
  i = 0
  while i < sizes.cells {
    unsafe output[i] += gate.bias[i]
    i &+= 1
  }
}

@unsafe func normalize(
  _ values: UnsafeMutablePointer<Float>, _ coefficients: UnsafePointer<Float>, _ count: Int
) {
  var (total, squares): (Float, Float) = (0, 0)
  var i = 0
  while i < count {
    let value = unsafe values[i]
    total += value
    squares += value * value
    i &+= 1
  }
  let mean = total / Float(count)
  let variance = squares / Float(count) - mean * mean
  // Values that are all alike would divide by nothing.
  let scale = 1 / (variance == 0 ? Float(1e-8) : variance).squareRoot()
  i = 0
  while i < count {
    unsafe values[i] = (values[i] - mean) * scale * coefficients[i]
    i &+= 1
  }
}

@unsafe private func project(
  _ arguments: LSTMFloat32Arguments, _ cells: UnsafePointer<Float>,
  into output: UnsafeMutablePointer<Float>
) {
  guard let projection = unsafe arguments.projection else { return }
  let count = arguments.sizes.cells
  var i = 0
  while i < arguments.sizes.outputs {
    var value = unsafe dotFloat32(projection + i &* count, cells, count)
    if let bias = unsafe arguments.projectionBias { unsafe value += bias[i] }
    let clip = arguments.projectionClip
    unsafe output[i] = value > clip ? clip : value < -clip ? -clip : value
    i &+= 1
  }
}
