import KernelInterface
import ModelGraph
import Tensors

/// Operators whose results are as many as their operands' elements say.
extension Lowering {
  mutating func lowerNonzero(_ kind: Nonzero, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let (data, dataType, count) = (shape(input), type(input).dataType, elements(input))
    var extents = SIMD8<Int>(repeating: 1)
    for (axis, extent) in data.extents.enumerated() { extents[axis] = extent }
    let axes = extents
    let isList = if case .positions = kind { true } else { false }
    let limit = isList ? shape(output)[0] : 0
    let kernel = table.general.rare.findNonzero
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "findNonzero"),
        split: .whole(costNanoseconds: costNanoseconds(count, perNanosecond: 1))
      ) { memory in
        let result: UnsafeMutablePointer<Int64> = unsafe memory.address(destination)
        let arguments = unsafe NonzeroArguments(
          type: dataType, count: count, rank: data.rank, extents: axes, limit: limit,
          input: memory.raw(source), positions: isList ? result : nil,
          found: isList ? nil : result)
        return { _, _ in kernel(arguments) }
      })
  }

  mutating func lowerDistinct(_ node: Node) throws(RuntimeError) {
    let input = try operand(node, 0)
    let (dataType, count) = (type(input).dataType, elements(input))
    // Places in the table are int32.
    guard count <= Int(Int32.max) / 4 else { throw unsupported(node) }
    var slots = 2
    while slots < 2 * count { slots *= 2 }
    let slotCount = slots
    let isWide = type(node.outputs[1]).dataType == .int64
    let kernel = table.general.rare.listDistinct
    let source = source(input)
    let scratch = temporary(byteCount: 4 * slots, steps: 0)
    var results: [BufferID] = []
    for output in node.outputs { results.append(try destination(output)) }
    let outputs = results
    add(
      Step(
        description: description(node, "listDistinct"),
        split: .whole(costNanoseconds: costNanoseconds(count, perNanosecond: 0.1))
      ) { memory in
        let arguments = unsafe DistinctArguments(
          type: dataType, count: count, slots: slotCount, hasWidePlaces: isWide,
          input: memory.raw(source), scratch: memory.address(scratch),
          values: memory.raw(outputs[0]), places: memory.raw(outputs[1]),
          found: memory.address(outputs[2]))
        return { _, _ in kernel(arguments) }
      })
  }
}
