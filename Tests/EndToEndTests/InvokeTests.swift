import ArgumentParser
import ByteParsing
import NumPyFiles
import TestSupport
import Tensors
import Testing

@testable import edgeserve

@Suite("invoke")
struct InvokeTests {
  private let directory = TemporaryDirectory("invoke")

  private func invoke(_ arguments: [String]) throws {
    let command = try Invoke.parse(arguments + ["--output-dir", directory.path + "/out"])
    try command.run()
  }

  private func output(_ name: String) throws -> NumPyFile {
    try NumPyFile(path: directory.path + "/out/\(name).npy")
  }

  /// Writes `numbers` as an array and returns its path.
  private func array(_ numbers: [Float], _ shape: Shape) throws -> String {
    let path = directory.path + "/input.npy"
    try NumPyFile(dataType: .float32, shape: shape, elements: ByteView(numbers)).write(to: path)
    return path
  }

  private func message(_ arguments: [String]) -> String? {
    do {
      try invoke(arguments)
      return nil
    } catch let failure as CommandFailure {
      #expect(failure.status == .badInput)
      return failure.message
    } catch {
      return "\(error)"
    }
  }

  @Test("gives the golden outputs of the digits classifier")
  func golden() throws {
    let model = Fixtures.digitsModel(2)
    let golden = Fixtures.goldenDirectory(beside: model)
    for vector in 0..<4 {
      try invoke([model, "--input", "\(golden)/\(vector)_in_0.npy", "--steps", "2"])
      let expected = try NumPyFile(path: "\(golden)/\(vector)_out_0.npy")
      for name in ["0", "step2_0"] {
        let result = try output(name)
        #expect(result.shape == expected.shape)
        let distance = zip(result.elements.array, expected.elements.array).map {
          abs(Int(Int8(bitPattern: $0)) - Int(Int8(bitPattern: $1)))
        }
        #expect((distance.max() ?? 0) <= 1)
      }
    }
  }

  @Test("an array of another shape resizes the input")
  func resizes() throws {
    let model = Fixtures.halfPlusTwoModel
    try invoke([model, "--input", try array([1, 2, 3], [3, 1])])
    let result = try output("0")
    #expect(result.shape == [3, 1])
    #expect(result.elements.hasSameBytes(as: ByteView([Float(2.5), 3, 3.5])))
  }

  @Test("what cannot be used is named")
  func refusals() throws {
    let model = Fixtures.halfPlusTwoModel
    let path = try array([1], [1, 1])
    #expect(message([model])?.contains("takes 1 input") == true)
    #expect(
      message([model, "--input", "nothing.npy"])?.hasPrefix("nothing.npy: cannot be read") == true)
    #expect(message([model, "--input", "nobody=1.npy"])?.contains("no input 'nobody'") == true)
    #expect(
      message([model, "--signature", "nobody", "--input", path])?.contains("no signature 'nobody'")
        == true)
    #expect(
      message([Fixtures.digitsModel(2), "--input", path])?.contains("takes int8") == true)
    #expect(message([Fixtures.floatDigitsModel, "--input", path])?.contains("shape") == true)
    #expect(
      message([path, "--input", path])?.contains("is neither a TensorFlow Lite file nor a bundle")
        == true)
  }
}
