import ByteParsing
import KernelInterface
import ModelGraph
import Tensors
struct MemoryNeeds { var weightsBytes = 0, fileBackedBytes = 0, arenaBytes = 0, scratchBytes = 0 }
enum RuntimeError: Error { case a }
enum TFLiteError: Error { case a }
enum BundleError: Error { case a }
struct Plan: Sendable { let memory = MemoryNeeds(); var inputs: [TensorSpecification] = [], outputs: [TensorSpecification] = []
 init(_ graph: Graph, table: KernelTable, threads: Int) throws(RuntimeError) {} }
final class PreparedModel: Sendable { init(_ plan: Plan) throws(RuntimeError) {} }
final class ComputePool: Sendable { let threads = 1; init(threads: Int) {} }
final class Instance: Sendable { init(_ m: PreparedModel, pool: ComputePool?) throws(RuntimeError) {}
  func run() {}
  func withInput<R, E: Error>(_ index: Int, _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R) throws(E) -> R { fatalError() }
  func withOutput<R, E: Error>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R { fatalError() }
}
struct GoldenVectors: Sendable {}
struct Bundle { init(path: String) throws(BundleError) { throw .a }
 var model: ByteView { fatalError() }; var labels: [String] = []; var golden: GoldenVectors? = nil }
enum TFLiteModel { static func graph(from: ByteView) throws(TFLiteError) -> Graph { throw .a } }
extension LoadFailure { init(_ e: TFLiteError) { self = .noGoldenVectors }
init(_ e: RuntimeError) { self = .noGoldenVectors } }
struct GoldenProof: Sendable { init(_ v: GoldenVectors) {}
 func run(on: InstanceSlot, _ d: VersionDescription) throws(LoadFailure) {} }
