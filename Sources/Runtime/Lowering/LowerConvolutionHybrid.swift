import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// float32 activations, quantised row by row at run time, and int8 weights to float32 (dynamic range).
extension Lowering {
  mutating func lowerHybrid(
    _ product: Product, _ quantizesAsymmetrically: Bool?
  ) throws(RuntimeError) {
    let (node, geometry) = (product.node, product.geometry)
    let scales = try hybridScales(product)
    let (weights, panels) = try packInt8(product, scales: scales, inputZeroPoint: nil)
    // A convolution whose model does not say is quantised as its format's kernels do: by weight granularity.
    let isSymmetric = !(quantizesAsymmetrically ?? (scales.count > 1))
    let rows = try lowerQuantizeRows(
      node, try operand(node, 0), rows: geometry.batch, isSymmetric: isSymmetric)
    try addHybrid(
      product, HybridOperands(codes: rows.codes, rows: rows, weights: weights, panels: panels),
      bounds: try boundsFloat32(product.activation, of: node))
  }

  /// Groups of channels share the scales of their image, so it is quantised once; each group's codes are then brought
  /// together.
  mutating func lowerHybridGroups(
    _ product: Product, groups: Int
  ) throws(RuntimeError) {
    let (node, whole) = (product.node, product.geometry)
    let scales = try hybridScales(product)
    let bounds = try boundsFloat32(product.activation, of: node)
    let rows = try lowerQuantizeRows(
      node, try operand(node, 0), rows: whole.batch, isSymmetric: scales.count == 1,
      readSteps: 2 * groups)
    var part = product
    part.geometry.inputChannels /= groups
    part.geometry.outputChannels /= groups
    let (inputs, outputs) = (part.geometry.inputChannels, part.geometry.outputChannels)
    let pixels = whole.batch * whole.inputHeight * whole.inputWidth
    for group in 0..<groups {
      let channels = group * outputs..<(group + 1) * outputs
      part.weights = try slice(product.weights, group, of: groups, node)
      part.bias = try slice(product.bias, group, of: groups, node)
      let own = scales.count == 1 ? scales : Array(scales[channels])
      let (weights, panels) = try packInt8(part, scales: own, inputZeroPoint: nil)
      let codes = temporary(byteCount: pixels * inputs)
      try addStridedCopy(
        StridedCopy(
          extents: [pixels, inputs], strides: [whole.inputChannels, 1], offset: group * inputs),
        node, from: .buffer(rows.codes), to: codes, elementBytes: 1)
      try addHybrid(
        part,
        HybridOperands(
          codes: codes, rows: rows, weights: weights, panels: panels,
          outputOffset: channels.lowerBound, outputRowStride: whole.outputChannels),
        bounds: bounds)
    }
  }

  /// One of `count` equal parts of a constant.
  private func slice(
    _ bytes: ByteView?, _ index: Int, of count: Int, _ node: Node
  ) throws(RuntimeError) -> ByteView? {
    guard let bytes else { return nil }
    let length = bytes.count / count
    do throws(ParsingError) {
      return try bytes.slice(at: index * length, count: length).aligned(to: 4)
    } catch {
      throw unsupported(node)
    }
  }

  /// The weights' scales, of an operator that dynamic ranges can be computed for.
  private func hybridScales(_ product: Product) throws(RuntimeError) -> [Float] {
    guard try weightZeroPoint(product) == 0,
      product.node.input(2).map({ type($0).dataType == .float32 }) ?? true
    else { throw unsupported(product.node) }
    return try weightScales(product)
  }

  /// What one step of a convolution on codes quantised at run time reads and where it writes.
  private struct HybridOperands {
    var codes: BufferID
    var rows: QuantizedRows
    var weights: Source
    var panels: Int
    /// In elements.
    var outputOffset = 0
    /// In elements; nil where the output is dense.
    var outputRowStride: Int?
  }

  private mutating func addHybrid(
    _ product: Product, _ operands: HybridOperands, bounds: OutputBoundsFloat32
  ) throws(RuntimeError) {
    let (node, geometry) = (product.node, product.geometry)
    let isConvolution = product.kind == .convolution
    let kernel = isConvolution ? table.convolutionHybrid : table.depthwiseHybrid
    let destination = try destination(node.outputs[0])
    let (split, byRows) = product.work(
      threads: threads, tileRows: isConvolution ? table.int8Tile.rows : 1, panels: operands.panels,
      rate: isConvolution ? 12 : 4)
    needScratch(bytesPerThread: scratchInt8(product))
    add(
      Step(
        description: description(
          node, isConvolution ? "convolutionHybrid" : "depthwiseHybrid",
          multiplyAccumulates: product.multiplyAccumulates),
        split: split
      ) { memory in
        let arguments = unsafe ConvolutionHybridArguments(
          geometry: geometry, input: UnsafePointer(memory.address(operands.codes)),
          rowScales: UnsafePointer(memory.address(operands.rows.scales)),
          rowZeroPoints: UnsafePointer(memory.address(operands.rows.zeroPoints)),
          weights: UnsafeRawPointer(memory.address(operands.weights, as: UInt8.self)),
          output: memory.address(destination) + operands.outputOffset,
          outputRowStride: operands.outputRowStride, bounds: bounds,
          scratch: memory.scratch(ofThread: 0))
        return { range, thread in
          var arguments = arguments
          unsafe arguments.scratch = memory.scratch(ofThread: thread)
          kernel(
            arguments,
            Product.range(
              range, byRows: byRows, rows: geometry.outputRows, panels: operands.panels))
        }
      })
  }

  /// The buffers that hold a float32 tensor quantised row by row.
  struct QuantizedRows {
    var codes: BufferID
    var scales: BufferID
    var zeroPoints: BufferID
    /// The number of the step that fills them.
    var step: Int

    /// Steps after which a value is quantised again rather than kept.
    static let keptStepsMaximum = 16
  }

  /// What is quantised, and how.
  struct QuantizedRowsKey: Hashable {
    var input: ValueID
    var rows: Int
    var isSymmetric: Bool
  }

  /// Quantises a value for the `readSteps` steps that follow; once for layers that read it shortly after each other.
  mutating func lowerQuantizeRows(
    _ node: Node, _ input: ValueID, rows: Int, isSymmetric: Bool, readSteps: Int = 1
  ) throws(RuntimeError) -> QuantizedRows {
    let key = QuantizedRowsKey(input: input, rows: rows, isSymmetric: isSymmetric)
    if let known = quantizedRows[key], !isKept(input),
      steps.count - known.step <= QuantizedRows.keptStepsMaximum
    {
      for buffer in [known.codes, known.scales, known.zeroPoints] {
        keep(buffer, steps: readSteps)
      }
      return known
    }
    let count = elements(input)
    let columns = rows == 0 ? 0 : count / rows
    let source = source(input)
    let quantized = QuantizedRows(
      codes: temporary(byteCount: count, steps: readSteps),
      scales: temporary(byteCount: rows * 4, steps: readSteps),
      zeroPoints: temporary(byteCount: rows * 4, steps: readSteps), step: steps.count)
    quantizedRows[key] = quantized
    let kernel = table.quantizeRows
    add(
      Step(
        description: description(node, "quantizeRows"),
        split: WorkSplit(units: rows, costNanoseconds: costNanoseconds(count, perNanosecond: 2))
      ) { memory in
        let arguments = unsafe QuantizeRowsArguments(
          isSymmetric: isSymmetric, columns: columns, input: memory.address(source),
          output: memory.address(quantized.codes), scales: memory.address(quantized.scales),
          zeroPoints: memory.address(quantized.zeroPoints))
        return { range, _ in kernel(arguments, range) }
      })
    return quantized
  }
}
