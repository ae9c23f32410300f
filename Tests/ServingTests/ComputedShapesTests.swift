import ByteParsing
import Glibc
import Serving
import TFLiteImport
import Tensors
import TestSupport
import Testing

@Suite("Shapes that depend on data, served")
struct ComputedShapesTests {
  /// `y`, which is `x` of two numbers repeated so often as the elements of `times` say.
  static var repetition: TFLiteWriter {
    var model = TFLiteWriter()
    model.codes = [(69, 1)]
    var result = TFLiteWriter.Tensor([1, 1], name: "y")
    result.signature = [-1, -1]
    model.tensors = [.init([1, 2], name: "x"), .init([2], type: 2, name: "times"), result]
    model.operators = [.init(inputs: [0, 1], outputs: [2])]
    model.inputs = [0, 1]
    model.outputs = [2]
    return model
  }

  private static func fixture(budget: Int? = nil) throws -> ServingFixture {
    let directory = TemporaryDirectory()
    let path = "\(directory.path)/repetition.tflite"
    DigitsBundle.write(repetition.bytes(), to: path)
    let fixture = ServingFixture(budget: budget)
    try fixture.load(1, path: path, model: "repetition").get()
    return fixture
  }

  private static func request(_ times: [Int32], rows: Int = 1) -> InferenceRequest {
    let numbers = [[Float]](repeating: [1, 2], count: rows).flatMap { $0 }
    return InferenceRequest(inputs: [
      NamedTensor(
        name: "x", dataType: .float32, shape: [rows, 2], bytes: ByteView(numbers).array),
      NamedTensor(
        name: "times", dataType: .int32, shape: [times.count], bytes: ByteView(times).array),
    ])
  }

  @Test("metadata leave the extents open, and each answer has its own")
  func answers() throws {
    let fixture = try Self.fixture()
    let lease = try fixture.lease(model: "repetition")
    #expect(lease.description.outputs[0].signatureShape == [-1, -1])
    for (rows, columns) in [(2, 3), (1, 1), (0, 4), (300, 40), (2, 3)] {
      let response = try fixture.infer(lease, Self.request([Int32(rows), Int32(columns)]))
      let output = response.outputs[0]
      #expect(output.shape == [rows, 2 * columns])
      let expected = [[Float]](repeating: [1, 2], count: rows * columns).flatMap { $0 }
      #expect(output.bytes == ByteView(expected).array)
    }
  }

  @Test("values without a result, and rows of which each has its own shape, are refused")
  func refusals() throws {
    let fixture = try Self.fixture()
    let lease = try fixture.lease(model: "repetition")
    // The last has no elements, and would be written as so many empty lists.
    for times: [Int32] in [[-1, 1], [1 << 20, 1 << 20], [1 << 14, 1 << 10], [1 << 30, 0]] {
      do {
        _ = try fixture.infer(lease, Self.request(times))
        Issue.record("\(times) has an answer")
      } catch {
        guard case .valuesRefused = error else {
          Issue.record("\(times): \(error)")
          continue
        }
      }
    }
    #expect(throws: ServingError.batchTooLarge(limit: 1, actual: 2)) {
      try fixture.infer(lease, Self.request([1, 1, 1, 1], rows: 2))
    }
    #expect(try fixture.infer(lease, Self.request([1, 1])).outputs[0].shape == [1, 2])
  }

  @Test("what may be planned later is charged when the version is loaded")
  func charge() throws {
    let fixture = try Self.fixture()
    #expect(fixture.manager.ledger.snapshot().chargedBytes >= 16 << 20)
    do {
      _ = try Self.fixture(budget: 8 << 20)
      Issue.record("16 MiB fit into 8")
    } catch LoadFailure.overBudget(let needed, _, _) {
      #expect(needed >= 16 << 20)
    }
  }

  @Test("an answer that the budget does not hold is counted as refused, and none as answered")
  func reply() throws {
    let peak = try Self.fixture().manager.ledger.snapshot().peakBytes
    let fixture = try Self.fixture(budget: peak + 65_536)
    let lease = try fixture.lease(model: "repetition")
    let before = fixture.manager.ledger.chargedBytes
    do {
      _ = try fixture.infer(lease, Self.request([300, 40]))
      Issue.record("nine times 96,000 bytes fit into 65,536")
    } catch {
      guard case .overMemory(needed: 9 * 96_000, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(try fixture.infer(lease, Self.request([2, 3])).outputs[0].shape == [2, 6])
    let status = try #require(try fixture.service.statuses(of: "repetition").first)
    #expect(status.outcomes == [.overMemory: 1, .ok: 1])
    #expect(eventually { fixture.manager.ledger.chargedBytes == before })
  }

  @Test("rows are run one by one")
  func batches() throws {
    let graph = try TFLiteModel.graph(from: ByteView(Self.repetition.bytes()))
    #expect(throws: BatchRefusal.computedShapes) { _ = try graph.batched(rows: 2) }
  }
}
