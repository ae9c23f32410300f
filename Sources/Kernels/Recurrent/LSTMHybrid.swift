import CVector
import KernelInterface

/// The long short-term memory of `lstmFloat32` with weights of codes: each row that meets them is quantised by its own
/// range.
///
/// - Source: TensorFlow Lite's reference for dynamic ranges; sums are added in its order.
func lstmHybrid(_ arguments: LSTMHybridArguments) {
  let sizes = arguments.sizes
  var step = 0
  while step < sizes.steps {
    var batch = 0
    while batch < sizes.batches {
      // Sound: all offsets stay within the extents that the maker of the arguments vouches for.
      let row = sizes.row(batch: batch, step: step)
      let hidden = unsafe arguments.outputState + batch &* sizes.outputs
      unsafe advance(
        arguments, input: arguments.input + row &* sizes.inputs, hidden: hidden,
        cells: arguments.cellState + batch &* sizes.cells)
      unsafe cv_copy(
        arguments.output + row &* sizes.outputs, hidden, sizes.outputs &* 4)
      batch &+= 1
    }
    step &+= 1
  }
}

/// A row of codes and what they stand for.
// Safe to hold: every use of the pointer is marked where it happens.
@safe private struct QuantizedRow {
  let codes: UnsafeMutablePointer<Int8>
  let count: Int
  private(set) var scale: Float = 1
  private(set) var zeroPoint: Int32 = 0

  @unsafe init(
    _ values: UnsafePointer<Float>, _ count: Int, isSymmetric: Bool,
    into codes: UnsafeMutablePointer<Int8>
  ) {
    unsafe self.codes = codes
    self.count = count
    unsafe withUnsafeMutablePointer(to: &scale) { scale in
      unsafe withUnsafeMutablePointer(to: &zeroPoint) { zeroPoint in
        unsafe quantizeRows(
          QuantizeRowsArguments(
            isSymmetric: isSymmetric, columns: count, input: values, output: codes, scales: scale,
            zeroPoints: zeroPoint), 0..<1)
      }
    }
  }

  /// The product with one row of a matrix.
  @inline(__always)
  @unsafe func product(_ matrix: HybridMatrix, row: Int) -> Float {
    let weights = unsafe matrix.codes + row &* count
    var (sum, k) = (Int32(0), 0)
    while k < count {
      sum = unsafe sum &+ Int32(weights[k]) &* (Int32(codes[k]) &- zeroPoint)
      k &+= 1
    }
    return Float(sum) * (scale * matrix.scale)
  }
}

@unsafe private func advance(
  _ arguments: LSTMHybridArguments, input: UnsafePointer<Float>,
  hidden: UnsafeMutablePointer<Float>, cells: UnsafeMutablePointer<Float>
) {
  let sizes = arguments.sizes
  let count = sizes.cells
  let entry = unsafe arguments.scratch
  let (forget, candidate) = unsafe (entry + count, entry + 2 &* count)
  let exit = unsafe entry + 3 &* count
  let codes = unsafe UnsafeMutableRawPointer(entry + 4 &* count).assumingMemoryBound(to: Int8.self)
  let entering = unsafe QuantizedRow(
    input, sizes.inputs, isSymmetric: arguments.isSymmetric, into: codes)
  let returning = unsafe QuantizedRow(
    hidden, sizes.outputs, isSymmetric: arguments.isSymmetric, into: codes + sizes.inputs)
  unsafe sum(arguments.forgetGate, count, entering, returning, cells, into: forget)
  unsafe sum(arguments.cellGate, count, entering, returning, cells, into: candidate)
  if let gate = arguments.inputGate {
    unsafe sum(gate, count, entering, returning, cells, into: entry)
  }
  unsafe updateCells(
    cells, count, entry: arguments.inputGate == nil ? nil : UnsafePointer(entry), forget: forget,
    candidate: candidate, clip: arguments.cellClip)
  unsafe sum(arguments.outputGate, count, entering, returning, cells, into: exit)
  unsafe emit(
    cells, count, exit: exit, into: arguments.projection == nil ? hidden : entry)
  guard let projection = arguments.projection else { return }
  let leaving = unsafe QuantizedRow(
    entry, count, isSymmetric: arguments.isSymmetric,
    into: codes + sizes.inputs + sizes.outputs)
  let clip = arguments.projectionClip
  var i = 0
  while i < sizes.outputs {
    let value = unsafe (arguments.projectionBias?[i] ?? 0) + leaving.product(projection, row: i)
    unsafe hidden[i] = value > clip ? clip : value < -clip ? -clip : value
    i &+= 1
  }
}

/// `b + W·x + R·h + p ⊙ c`; where the gate is normalised, the bias is added after that.
@unsafe private func sum(
  _ gate: LSTMGateHybrid, _ count: Int, _ input: QuantizedRow, _ hidden: QuantizedRow,
  _ cells: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
) {
  let isNormalized = unsafe gate.normalization != nil
  var i = 0
  while i < count {
    var value = unsafe isNormalized ? 0 : gate.bias[i]
    value += unsafe input.product(gate.inputWeights, row: i)
    value += unsafe hidden.product(gate.recurrentWeights, row: i)
    if let peephole = gate.peephole {
      value += unsafe Float(peephole.codes[i]) * peephole.scale * cells[i]
    }
    unsafe output[i] = value
    i &+= 1
  }
  guard let coefficients = unsafe gate.normalization else { return }
  unsafe normalize(output, coefficients, count)
  i = 0
  while i < count {
    unsafe output[i] += gate.bias[i]
    i &+= 1
  }
}

/// The plain layer of `rnnFloat32` with weights of codes: each row that meets them is quantised by its own range.
///
/// - Source: TensorFlow Lite's reference for dynamic ranges; sums are added in its order.
func rnnHybrid(_ arguments: RNNHybridArguments) {
  let (sizes, bounds) = (arguments.sizes, arguments.bounds)
  var step = 0
  while step < sizes.steps {
    var batch = 0
    while batch < sizes.batches {
      // Sound: all offsets stay within the extents that the maker of the arguments vouches for.
      let row = sizes.row(batch: batch, step: step)
      let state = unsafe arguments.state + batch &* sizes.outputs
      let next = unsafe arguments.output + row &* sizes.outputs
      let codes = unsafe arguments.scratch.assumingMemoryBound(to: Int8.self)
      let entering = unsafe QuantizedRow(
        arguments.input + row &* sizes.inputs, sizes.inputs, isSymmetric: arguments.isSymmetric,
        into: codes)
      let returning = unsafe QuantizedRow(
        state, sizes.outputs, isSymmetric: arguments.isSymmetric, into: codes + sizes.inputs)
      var unit = 0
      while unit < sizes.outputs {
        var sum = unsafe arguments.bias[unit]
        sum += unsafe entering.product(arguments.inputWeights, row: unit)
        sum += unsafe returning.product(arguments.recurrentWeights, row: unit)
        let value = arguments.squashes ? cv_hyperbolic_tangent(sum) : sum
        unsafe next[unit] =
          value > bounds.maximum ? bounds.maximum : value < bounds.minimum ? bounds.minimum : value
        unit &+= 1
      }
      unsafe cv_copy(state, next, sizes.outputs &* 4)
      batch &+= 1
    }
    step &+= 1
  }
}
