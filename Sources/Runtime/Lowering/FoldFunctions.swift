import KernelInterface
import ModelGraph
import Tensors

// A function of int8 codes that is only added to, taken from or multiplied by its own operand, as `x · σ(x)` is: both
// together are one function of 256 codes.

extension Lowering {
  /// The results of such functions.
  static func foldedFunctions(of graph: Graph) -> Set<ValueID> {
    var producers: [ValueID: Node] = [:]
    var reads: [ValueID: Int] = [:]
    for node in graph.nodes {
      for input in node.inputs { if let input { reads[input, default: 0] += 1 } }
      for output in node.outputs { producers[output] = node }
    }
    for id in graph.outputs + graph.variables.map(\.next) { reads[id, default: 0] += 1 }
    var folded: Set<ValueID> = []
    for node in graph.nodes {
      guard case .binary(let parameters) = node.operation, parameters.kind.operation != nil,
        let left = node.input(0), let right = node.input(1),
        ([left, right] + node.outputs).allSatisfy({ graph[$0].type.dataType == .int8 })
      else { continue }
      for (function, operand) in [(left, right), (right, left)] {
        guard reads[function] == 1, let producer = producers[function],
          case .unary = producer.operation, producer.input(0) == operand,
          graph[operand].constant == nil, !folded.contains(operand)
        else { continue }
        folded.insert(function)
      }
    }
    return folded
  }

  /// The table of a function together with its operand, by the kernel that would have combined them.
  func combined(
    _ function: LookupTableInt8, isLeft: Bool, _ parameters: BinaryInt8Parameters
  ) -> LookupTableInt8 {
    let codes = (Int8.min...Int8.max).map { $0 }
    var entries = codes
    let strides = OperandStrides(row: 0, column: 1)
    // Sound: all three have 256 codes.
    unsafe codes.withUnsafeBufferPointer { codes in
      unsafe function.entries.withUnsafeBufferPointer { values in
        unsafe entries.withUnsafeMutableBufferPointer { entries in
          let operands = unsafe (
            codes.baseAddress.unsafelyUnwrapped, values.baseAddress.unsafelyUnwrapped
          )
          unsafe table.binaryInt8(
            BinaryInt8Arguments(
              parameters: parameters, rows: 1, columns: codes.count,
              left: isLeft ? operands.1 : operands.0, leftStrides: strides,
              right: isLeft ? operands.0 : operands.1, rightStrides: strides,
              output: entries.baseAddress.unsafelyUnwrapped))
        }
      }
    }
    return LookupTableInt8(entries: entries)
  }
}
