import ArgumentParser
import FoundationEssentials
import TestSupport
import Testing

@testable import edgeserve

@Suite("inspect")
struct InspectTests {
  @Test("tells format, ends, operators, kernels and memory of a model")
  func describesModel() throws {
    let document = try Inspect.parse([Fixtures.digitsModel()]).document()
    #expect(document.format == .tflite)
    #expect(document.supported)
    #expect(document.inputs.map(\.shape) == [[1, 8, 8, 1]])
    #expect(document.inputs.map(\.signatureShape) == [[-1, 8, 8, 1]])
    #expect(document.inputs.map(\.type) == ["int8"])
    #expect(document.outputs.map(\.shape) == [[1, 10]])
    #expect(document.operators.filter { !$0.supported }.isEmpty)
    let memory = try #require(document.memory)
    #expect(
      memory.peakBytes
        == memory.weightsBytes + memory.fileBackedBytes + memory.arenaBytes + memory.scratchBytes)
  }

  @Test("its JSON has the promised keys")
  func jsonKeys() throws {
    let document = try Inspect.parse([Fixtures.digitsModel(), "--json"]).document()
    let json = String(decoding: try JSONEncoder().encode(document), as: UTF8.self)
    let keys = [
      "format", "inputs", "outputs", "operators", "count", "supported", "memory", "weights_bytes",
      "arena_bytes", "scratch_bytes", "peak_bytes", "kernels",
    ]
    for key in keys { #expect(json.contains("\"\(key)\":"), "\(key)") }
  }

  @Test("plans for the table that is named")
  func namedTable() throws {
    let document = try Inspect.parse([Fixtures.digitsModel(), "--kernels", "baseline"]).document()
    #expect(document.kernels == "baseline")
  }

  @Test("a table that cannot run here is bad input")
  func unknownTable() throws {
    let command = try Inspect.parse([Fixtures.digitsModel(), "--kernels", "abacus"])
    let failure = #expect(throws: CommandFailure.self) { try command.document() }
    #expect(failure?.status == .badInput)
  }

  @Test("a file that is no model is bad input", arguments: ["/nonexistent", Fixtures.digitsLabels])
  func noModel(path: String) throws {
    let failure = #expect(throws: CommandFailure.self) { try Inspect.parse([path]).document() }
    #expect(failure?.status == .badInput)
  }
}
