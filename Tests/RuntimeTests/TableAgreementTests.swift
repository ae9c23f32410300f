import KernelDispatch
import KernelInterface
import Runtime
import TestSupport
import Testing

@Suite("Agreement of kernel tables")
struct TableAgreementTests {
  /// Models whose every operator is an integer one.
  static let int8Models: [String] =
    [Fixtures.digitsModel()]
    + ["ad01_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8", "str_ww_ref_model"]
    .compactMap { SharedModels.path("mlperf_tiny/\($0).tflite") }

  @Test("integer models give the same bytes on every table and thread count", arguments: int8Models)
  func integersAgree(path: String) throws {
    let first = try RunningModel(path, KernelTable.supported[0])
    let inputs = (1...3).map { first.noise(seed: $0) }
    let expected = inputs.map { first.outputs(for: $0) }
    for table in KernelTable.supported {
      for threads in [1, 2, 4] {
        let running = try RunningModel(path, table, threads: threads)
        #expect(inputs.map { running.outputs(for: $0) } == expected, "\(table.name) \(threads)")
      }
    }
  }

  @Test("float models give the same bytes on every thread count of a table", arguments: KernelTable.supported)
  func floatsDoNotDependOnThreads(table: KernelTable) throws {
    let models =
      [Fixtures.floatDigitsModel]
      + [SharedModels.path("mlperf_tiny/vww_96_float.tflite")].compactMap { $0 }
    for path in models {
      let single = try RunningModel(path, table)
      let inputs = single.noise(seed: 5)
      let shared = try RunningModel(path, table, threads: 4)
      #expect(shared.outputs(for: inputs) == single.outputs(for: inputs))
    }
  }
}
