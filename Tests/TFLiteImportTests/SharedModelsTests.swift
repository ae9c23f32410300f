import ByteParsing
import ModelGraph
import TFLiteImport
import Tensors
import TestSupport
import Testing

@Suite("Models of the world")
struct SharedModelsTests {
  private func graph(_ path: String) throws -> Graph {
    try TFLiteModel.graph(from: MappedFile(path: path).bytes)
  }

  @Test("every file becomes a graph or is refused with a reason, and every graph can be canonical")
  func importsOrRefuses() throws {
    for path in SharedModels.paths() {
      let imported: Graph
      do {
        imported = try graph(path)
      } catch {
        #expect(error is TFLiteError, "\(path)")
        continue
      }
      let canonical = try canonicalize(imported)
      #expect(canonical.inputSpecifications == imported.inputSpecifications, "\(path)")
      #expect(canonical.outputSpecifications == imported.outputSpecifications, "\(path)")
    }
  }

  @Test("every benchmark model is taken")
  func benchmarkModels() throws {
    for path in SharedModels.paths(under: "mlperf_tiny") { _ = try graph(path) }
  }

  @Test("inferred shapes are those that the files declare")
  func declaredShapes() throws {
    var compared: [String: Int] = [:]
    for path in SharedModels.paths() {
      let file = try MappedFile(path: path)
      guard let graph = try? TFLiteModel.graph(from: file.bytes) else { continue }
      let root = try FlatBufferTable(root: file.bytes, identifier: "TFL3")
      let tensors = try root.tables(2, limit: .max)[0].tables(0, limit: .max)
      for node in graph.nodes {
        // Values beyond are of other subgraphs, or made on import.
        guard let id = node.outputs.first, id.index < tensors.count else { continue }
        let declared = try tensors[id.index].integers(0, as: Int32.self) ?? []
        // Extents that the file leaves free follow from constants here.
        let signature = try tensors[id.index].integers(7, as: Int32.self) ?? []
        guard !signature.contains(where: { $0 < 0 }) else { continue }
        // Some converters leave the shapes of intermediate results out.
        guard !declared.isEmpty, graph[id].type.shape.rank > 0 else { continue }
        #expect(graph[id].type.shape.extents == declared.map { Int($0) }, "\(path) \(node)")
        compared[node.operation.name, default: 0] += 1
      }
    }
    print("shapes compared: \(compared.sorted { $0.key < $1.key })")
  }
}
