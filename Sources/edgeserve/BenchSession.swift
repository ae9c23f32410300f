import KernelInterface
import ModelGraph
import Runtime
import Serving
import Tensors

/// A prepared model with inputs in hand, whose inferences are timed: inputs copied in, run, outputs copied out.
final class BenchSession {
  let model: PreparedModel
  /// From the file's name to a model ready to run.
  let prepareNanoseconds: UInt64
  private let instance: Instance
  private let inputs: [[UInt8]]
  private var outputs: [[UInt8]]

  /// Bytes of packed weights that are mapped from a file.
  let mappedBytes: Int

  /// - Parameter weightsCache: a directory where packed weights are kept as an agent keeps them; nil for
  ///   anonymous memory.
  init(
    path: String, table: KernelTable, threads: Int, weightsCache: String? = nil
  ) throws(CommandFailure) {
    let cache = try weightsCache.map { (directory) throws(CommandFailure) in
      try BenchSession.cache(directory)
    }
    let start = MonotonicClock.nanoseconds()
    let source = try ModelSource(path: path)
    let plan = try source.plan(
      source.graph(), table: table, threads: threads, copiesConstants: cache != nil)
    let weights = cache.flatMap { try? $0.weights(of: plan, forModelAt: path) }
    mappedBytes = weights?.mappedBytes ?? 0
    do throws(RuntimeError) {
      model = try PreparedModel(plan, weights: weights)
      instance = try Instance(model, pool: threads > 1 ? ComputePool(threads: threads) : nil)
    } catch {
      throw CommandFailure(.failure, "\(path) cannot be prepared: \(error)")
    }
    prepareNanoseconds = MonotonicClock.nanoseconds() - start
    var noise = SeededNoise(seed: 1)
    inputs = model.inputs.map { noise.bytes(of: $0.type) }
    outputs = model.outputs.map { [UInt8](repeating: 0, count: $0.type.byteCount ?? 0) }
  }

  private static func cache(_ directory: String) throws(CommandFailure) -> WeightsCache {
    do throws(WeightsRefusal) {
      return try WeightsCache(
        WeightsCache.Settings(
          directory: directory, diskBytesMaximum: .max, dailyBytesMaximum: .max,
          builder: Build.identity))
    } catch {
      throw CommandFailure(.failure, "\(directory) cannot be used for packed weights")
    }
  }

  /// One inference; gives its nanoseconds.
  func time() -> UInt64 {
    let start = MonotonicClock.nanoseconds()
    copyIn()
    instance.run()
    copyOut()
    return MonotonicClock.nanoseconds() - start
  }

  /// Throws when the inputs in hand give no result, of a model whose shapes depend on data.
  func expectResult(of path: String) throws(CommandFailure) {
    guard model.isDeferred else { return }
    _ = time()
    guard let failure = instance.failure else { return }
    throw CommandFailure(
      .failure, "\(path) has no result for the inputs that it is timed with: \(failure.phrase)")
  }

  /// One inference that adds each step's nanoseconds to `steps`.
  func profile(_ steps: inout [UInt64]) {
    copyIn()
    instance.runProfiled(&steps)
    copyOut()
  }

  private func copyIn() {
    for (index, input) in inputs.enumerated() {
      unsafe instance.withInput(index) { bytes in unsafe bytes.copyBytes(from: input) }
    }
  }

  private func copyOut() {
    for index in outputs.indices {
      unsafe instance.withOutput(index) { bytes in
        if outputs[index].count < bytes.count {
          outputs[index] = [UInt8](repeating: 0, count: bytes.count)
        }
        unsafe outputs[index].withUnsafeMutableBytes { copy in unsafe copy.copyMemory(from: bytes) }
      }
    }
  }
}
