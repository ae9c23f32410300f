import ByteParsing
import KernelInterface
import Runtime
import TFLiteImport
import Tensors
import TestSupport

/// A model file planned, prepared and given one instance.
struct RunningModel {
  let plan: Plan
  let model: PreparedModel
  let instance: Instance

  init(_ path: String, _ table: KernelTable, threads: Int = 1) throws {
    try self.init(MappedFile(path: path).bytes, table, threads: threads)
  }

  init(_ bytes: ByteView, _ table: KernelTable, threads: Int = 1) throws {
    let graph = try TFLiteModel.graph(from: bytes)
    plan = try Plan(graph, table: table, threads: threads)
    model = try PreparedModel(plan)
    instance = try Instance(model, pool: threads > 1 ? ComputePool(threads: threads) : nil)
  }

  /// Copies the inputs in, runs, and copies the outputs out.
  func outputs(for inputs: [[UInt8]]) -> [[UInt8]] {
    write(inputs)
    instance.run()
    return model.outputs.indices.map { index in
      unsafe instance.withOutput(index) { bytes in unsafe [UInt8](bytes) }
    }
  }

  func write(_ inputs: [[UInt8]]) {
    for (index, input) in inputs.enumerated() {
      unsafe instance.withInput(index) { bytes in unsafe bytes.copyBytes(from: input) }
    }
  }

  /// Seeded noise for every input: any code, or floats from −1 to 1.
  func noise(seed: UInt64) -> [[UInt8]] {
    var random = SplitMix64(seed: seed)
    return model.inputs.map { input in
      guard input.type.dataType == .float32 else {
        return (0..<(input.type.byteCount ?? 0)).map { _ in UInt8.random(in: 0...255, using: &random) }
      }
      return (0..<(input.type.shape.elementCount ?? 0)).flatMap { _ in
        let bits = Float.random(in: -1...1, using: &random).bitPattern
        return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
      }
    }
  }
}

/// The floats that little-endian bytes hold.
func floats(_ bytes: [UInt8]) -> [Float] {
  stride(from: 0, to: bytes.count, by: 4).map { at in
    Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) })
  }
}
