import KernelDispatch
import KernelInterface
import Runtime
import TestSupport
import Testing

@Suite("Golden vectors")
struct GoldenTests {
  @Test("int8 models answer within one code of the reference", arguments: KernelTable.supported, [1, 3])
  func int8Models(table: KernelTable, threads: Int) throws {
    for version in Fixtures.digitsVersions {
      let path = Fixtures.digitsModel(version)
      let running = try RunningModel(path, table, threads: threads)
      for (input, output) in try Fixtures.goldenVectors(beside: path) {
        let codes = running.outputs(for: [input.bytes])[0].map { Int(Int8(bitPattern: $0)) }
        let furthest = zip(codes, output.int8).map { abs($0 - Int($1)) }.max() ?? .max
        #expect(codes.count == output.int8.count)
        #expect(furthest <= 1)
      }
    }
  }

  @Test("float models answer as the reference does", arguments: KernelTable.supported, [1, 3])
  func floatModels(table: KernelTable, threads: Int) throws {
    for path in [Fixtures.floatDigitsModel, Fixtures.halfPlusTwoModel] {
      let running = try RunningModel(path, table, threads: threads)
      for (input, output) in try Fixtures.goldenVectors(beside: path) {
        let values = floats(running.outputs(for: [input.bytes])[0])
        let furthest = zip(values, output.float32).map { abs($0 - $1) }.max() ?? .infinity
        let largest = output.float32.map(abs).max() ?? 0
        #expect(values.count == output.float32.count)
        #expect(furthest <= 1e-5 * largest)
      }
    }
  }

  @Test("a second run on the same inputs gives the same outputs", arguments: KernelTable.supported)
  func runsAreRepeatable(table: KernelTable) throws {
    let running = try RunningModel(Fixtures.digitsModel(), table)
    let inputs = running.noise(seed: 3)
    #expect(running.outputs(for: inputs) == running.outputs(for: inputs))
  }
}
