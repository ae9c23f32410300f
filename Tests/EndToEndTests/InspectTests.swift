import ArgumentParser
import ByteParsing
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

  @Test("tells by which names requests know inputs and outputs")
  func requestNames() throws {
    let document = try Inspect.parse([Fixtures.halfPlusTwoModel]).document()
    #expect(document.calls == ["serving_default: x → y"])
  }

  @Test("says what a model of another tool is, and what makes one that runs")
  func foreignModels() throws {
    let directory = TemporaryDirectory("foreign")
    func failure(_ name: String, _ text: String) throws -> String {
      directory.write(name, text)
      return try refusal(directory.path + "/" + name)
    }
    func refusal(_ path: String) throws -> String {
      do {
        _ = try Inspect.parse([path]).document()
        return ""
      } catch let error as CommandFailure {
        return error.message
      }
    }
    #expect(try refusal(directory.path).contains("is a directory; name a model file"))
    #expect(try failure("m.keras", "PK\u{3}\u{4} and more").contains("from_keras_model"))
    #expect(try failure("m.onnx", "some bytes").contains("ONNX"))
    #expect(try failure("m", "more bytes").contains("neither a TensorFlow Lite file nor a bundle"))
    #expect(try failure("saved_model.pb", "bytes again").contains("from_saved_model"))
    #expect(ForeignModel(ByteView([0x89] + Array("HDF\r\n".utf8)), path: "m.h5") == .hdf5)
    #expect(ForeignModel(ByteView([] as [UInt8]), path: "m.tflite") == .unknown)
    #expect(try refusal(directory.path).contains("from_saved_model"))
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
