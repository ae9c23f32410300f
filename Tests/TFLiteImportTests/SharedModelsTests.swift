import ByteParsing
import ModelGraph
import TFLiteImport
import TestSupport
import Testing

@Suite("Models of the world")
struct SharedModelsTests {
  @Test("every file becomes a graph or is refused with a reason")
  func importsOrRefuses() throws {
    var accepted = 0
    for path in SharedModels.paths() {
      let file = try MappedFile(path: path)
      do {
        let graph = try TFLiteModel.graph(from: file.bytes)
        _ = try canonicalize(graph)
        accepted += 1
      } catch let error as TFLiteError {
        print("REFUSED \(path): \(error)")
      } catch let error as GraphError {
        print("CANON \(path): \(error)")
      }
    }
    print("accepted \(accepted)")
  }
}
