import KernelInterface
import ModelGraph
import Runtime
import Serving
import Synchronization
import Tensors

/// A graph of operators between the models, compiled as they are; its memory is planned, charged by
/// its owner, and allocated once.
final class Stage: Sendable {
  let plan: Plan
  let output: TensorType
  private let instance: Mutex<Instance?>

  /// - Parameter step: for messages.
  init(_ graph: Graph, table: KernelTable, step: Int) throws(PipelineError) {
    do throws(RuntimeError) {
      plan = try Plan(graph, table: table, threads: 1, copiesConstants: true)
    } catch {
      throw .unplannable(step: step, reason: "\(error)")
    }
    output = plan.outputs[0].type
    instance = Mutex(nil)
  }

  /// Takes the memory that was charged.
  func allocate(step: Int) throws(PipelineError) {
    do throws(RuntimeError) {
      let made = try Instance(try PreparedModel(plan))
      instance.withLock { $0 = made }
    } catch {
      throw .unplannable(step: step, reason: "\(error)")
    }
  }

  /// Runs every row of `bytes`; whoever comes meanwhile waits.
  ///
  /// - Precondition: as many bytes as the rows of the input take.
  func run(_ bytes: [UInt8], rows: Int) -> [UInt8] {
    let inputBytes = plan.inputs[0].type.byteCount ?? 0
    precondition(bytes.count == rows * inputBytes)
    return instance.withLock { instance in
      guard let instance else { preconditionFailure("a stage is allocated before it runs") }
      var results: [UInt8] = []
      results.reserveCapacity(rows * (output.byteCount ?? 0))
      for row in 0..<rows {
        unsafe instance.withInput(0) { destination in
          let part = bytes[row * inputBytes..<(row + 1) * inputBytes]
          // Sound: the input has this many bytes, and the slice's bounds were checked.
          unsafe part.withUnsafeBytes { unsafe destination.copyMemory(from: $0) }
        }
        instance.run(alone: true)
        unsafe instance.withOutput(0) { unsafe results.append(contentsOf: $0) }
      }
      return results
    }
  }
}
