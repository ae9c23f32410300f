import ByteParsing
import TFLiteImport
import TestSupport
import Testing

@Suite("Labels in model files")
struct TFLiteLabelsTests {
  private func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// `model`, and behind it an archive without compression.
  private func file(
    _ model: [UInt8], _ files: [(name: String, text: String)], method: Int = 0,
    comment: String = ""
  ) -> [UInt8] {
    var bytes = model
    var directory: [UInt8] = []
    for (name, text) in files {
      let common =
        little(20, 2) + little(0, 2) + little(method, 2) + little(0, 4) + little(0, 4)
        + little(text.utf8.count, 4) + little(text.utf8.count, 4) + little(name.utf8.count, 2)
        + little(0, 2)
      directory +=
        [0x50, 0x4B, 1, 2] + little(20, 2) + common + little(0, 2) + little(0, 4)
        + little(0, 4) + little(bytes.count, 4) + Array(name.utf8)
      bytes += [0x50, 0x4B, 3, 4] + common + Array(name.utf8) + Array(text.utf8)
    }
    let start = bytes.count
    return bytes + directory + [0x50, 0x4B, 5, 6] + little(0, 4) + little(files.count, 2)
      + little(files.count, 2) + little(directory.count, 4) + little(start, 4)
      + little(comment.utf8.count, 2) + Array(comment.utf8)
  }

  private func labels(_ bytes: [UInt8]) -> [String] { TFLiteLabels.labels(in: ByteView(bytes)) }

  @Test("are the lines of the archive's list")
  func lines() {
    let model = TFLiteWriter.convolution.bytes()
    #expect(labels(model) == [])
    #expect(labels(file(model, [("labels.txt", "cat\ndog\r\n\nbird\n")])) == ["cat", "dog", "", "bird"])
    #expect(
      labels(file(model, [("vocab.txt", "a"), ("My_LabelMap.TXT", "é")], comment: "hello"))
        == ["é"])
    #expect(labels(file(model, [("labels.bin", "x")])) == [])
    #expect(labels(file(model, [("labels.txt", "x")], method: 8)) == [])
  }

  @Test("of any bytes are read or left alone")
  func mutations() {
    let whole = file(Array(repeating: 7, count: 40), [("a.txt", "1\n2"), ("labels.txt", "x\ny\nz")])
    for count in whole.indices { #expect(labels(Array(whole.prefix(count))) == []) }
    var random = SplitMix64(seed: 0x21B)
    for _ in 0..<20_000 {
      var changed = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        changed[Int.random(in: 0..<changed.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      #expect(labels(changed).count <= TFLiteLabels.labelsMaximum)
    }
  }

  @Test("of a real network are its classes")
  func real() throws {
    guard let path = SharedModels.path("coral/mobilenet_v1_0.25_128_quant.tflite") else { return }
    let found = labels(try readFile(path))
    #expect(found.count == 1001)
    #expect(found.prefix(2) == ["background", "tench, Tinca tinca"])
  }
}
