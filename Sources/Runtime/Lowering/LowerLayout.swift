import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  mutating func lowerPad(_ parameters: Pad, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let elementBytes = type(input).dataType.bitWidth / 8
    guard
      let amounts = parameters.amounts, type(input).dataType == type(output).dataType,
      [1, 2, 4, 8].contains(elementBytes)
    else { throw unsupported(node) }
    let pattern = try fillPattern(node, elementBytes: elementBytes)
    let copies = PadCopies(
      shape(input), amounts: amounts.map { ($0.before, $0.after) }, elementBytes: elementBytes)
    let count = elements(output)
    let (fill, copyRows) = (table.fill, table.copyRows)
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "fill, copyRows"),
        split: .whole(costNanoseconds: costNanoseconds(count, elementBytes, perNanosecond: 8))
      ) { memory in
        let output = unsafe UnsafeMutableRawPointer(memory.address(destination, as: UInt8.self))
        let input = unsafe UnsafeRawPointer(memory.address(source, as: UInt8.self))
        return { _, _ in
          unsafe fill(
            FillArguments(
              pattern: pattern, elementBytes: elementBytes, count: count, output: output))
          for block in 0..<copies.blocks {
            let offsets = copies.offsets(ofBlock: block)
            unsafe copyRows(
              CopyRowsArguments(
                rows: copies.rows, rowBytes: copies.rowBytes, input: input + offsets.input,
                inputStrideBytes: copies.rowBytes, output: output + offsets.output,
                outputStrideBytes: copies.outputStrideBytes))
          }
        }
      })
  }

  /// The bits of what is put around a tensor: the fill, which is second once the amounts are numbers, else zero in
  /// the operand's own code.
  private func fillPattern(_ node: Node, elementBytes: Int) throws(RuntimeError) -> UInt64 {
    if let id = node.input(1) {
      guard let bytes = graph[id].constant, bytes.count == elementBytes else {
        throw unsupported(node)
      }
      return bytes.array.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    let input = try operand(node, 0)
    guard type(input).dataType == .int8 else { return 0 }
    return UInt64(UInt8(bitPattern: Int8(try perTensorQuantization(input, of: node).zeroPoint)))
  }

  mutating func lowerConcatenate(_ parameters: Concatenate, _ node: Node) throws(RuntimeError) {
    let output = node.outputs[0]
    let shape = shape(output)
    let axis = parameters.axis < 0 ? parameters.axis + shape.rank : parameters.axis
    let elementBytes = type(output).dataType.bitWidth / 8
    guard parameters.activation == .none, (0..<shape.rank).contains(axis), elementBytes > 0 else {
      throw unsupported(node)
    }
    let outer = shape.extents[..<axis].reduce(1, *)
    let inner = shape.extents[(axis + 1)...].reduce(elementBytes, *)
    // Requantised operands first: each is a step of its own.
    var operands: [(source: Source?, id: ValueID)] = []
    for index in node.inputs.indices {
      let id = try operand(node, index)
      operands.append((try requantized(id, like: output, node), id))
    }
    var pieces: [ConcatenatePiece] = []
    var offset = 0
    for (source, id) in operands {
      let rowBytes = (parameters.stacks ? 1 : self.shape(id)[axis]) * inner
      pieces.append(
        ConcatenatePiece(source: source ?? self.source(id), offset: offset, rowBytes: rowBytes))
      offset += rowBytes
    }
    addConcatenate(node, pieces, rows: outer, outputRowBytes: offset, to: try destination(output))
  }

  /// One operand of a concatenation.
  private struct ConcatenatePiece: Sendable {
    var source: Source
    /// Where its rows begin within the output's rows.
    var offset: Int
    var rowBytes: Int
  }

  private mutating func addConcatenate(
    _ node: Node, _ pieces: [ConcatenatePiece], rows: Int, outputRowBytes: Int,
    to destination: BufferID
  ) {
    let copyRows = table.copyRows
    add(
      Step(
        description: description(node, "copyRows"),
        split: .whole(costNanoseconds: costNanoseconds(rows, outputRowBytes, perNanosecond: 8))
      ) { memory in
        let output = unsafe UnsafeMutableRawPointer(memory.address(destination, as: UInt8.self))
        let calls = pieces.map { piece in
          unsafe CopyRowsArguments(
            rows: rows, rowBytes: piece.rowBytes,
            input: UnsafeRawPointer(memory.address(piece.source, as: UInt8.self)),
            inputStrideBytes: piece.rowBytes, output: output + piece.offset,
            outputStrideBytes: outputRowBytes)
        }
        return { _, _ in for index in 0..<calls.count { copyRows(calls[index]) } }
      })
  }

  /// An int8 operand brought to the quantisation of `output`; nil when it is there already.
  private mutating func requantized(
    _ id: ValueID, like output: ValueID, _ node: Node
  ) throws(RuntimeError) -> Source? {
    guard type(id).dataType == type(output).dataType else { throw unsupported(node) }
    guard type(id).dataType == .int8, type(id).quantization != type(output).quantization else {
      return nil
    }
    let scale = try perTensorQuantization(output, of: node).scale
    let bounds = try boundsInt8(.none, output, of: node)
    let source = source(id)
    let codes = temporary(byteCount: elements(id), steps: node.inputs.count)
    try addRequantize(node, id, from: source, to: codes, scale: scale, bounds: bounds)
    return .buffer(codes)
  }
}

/// A padded tensor's input as blocks of equally spaced rows in its output.
struct PadCopies: Sendable, Equatable {
  /// Blocks to copy, each of `rows` rows.
  private(set) var blocks = 1
  private(set) var rows = 1
  private(set) var rowBytes: Int
  private(set) var outputStrideBytes = 0
  /// Byte offset of the first row of the first block in the output.
  private var outputStart = 0
  /// Extents of the input and bytes from one index to the next in the output, of the axes outside a block.
  private var outer: [(extent: Int, outputStride: Int)] = []

  init(_ shape: Shape, amounts: [(before: Int, after: Int)], elementBytes: Int) {
    rowBytes = elementBytes
    var outputStride = elementBytes
    var isInRow = true
    for axis in (0..<shape.rank).reversed() {
      let (before, after) = amounts[axis]
      let extent = shape[axis]
      outputStart += before * outputStride
      if isInRow {
        rowBytes *= extent
      } else if outputStrideBytes == 0 {
        rows = extent
        outputStrideBytes = outputStride
      } else {
        blocks *= extent
        outer.insert((extent, outputStride), at: 0)
      }
      // The first padded axis is the last that lies within one row.
      if before + after > 0 { isInRow = false }
      outputStride *= extent + before + after
    }
    if outputStrideBytes == 0 { outputStrideBytes = rowBytes }
  }

  /// Where a block's first row begins, in bytes.
  func offsets(ofBlock block: Int) -> (input: Int, output: Int) {
    var (index, output) = (block, outputStart)
    var axis = outer.count - 1
    while axis >= 0 {
      output += index % outer[axis].extent * outer[axis].outputStride
      index /= outer[axis].extent
      axis -= 1
    }
    return (block * rows * rowBytes, output)
  }

  static func == (a: PadCopies, b: PadCopies) -> Bool {
    a.blocks == b.blocks && a.rows == b.rows && a.rowBytes == b.rowBytes
      && a.outputStrideBytes == b.outputStrideBytes && a.outputStart == b.outputStart
      && a.outer.elementsEqual(b.outer, by: ==)
  }
}
