import Glibc
import Serving
import TestSupport
import Testing

@Suite("Files that change while their version serves")
struct ChangedFileTests {
  private let directory = TemporaryDirectory("changed")

  @Test("a model that is cut in place serves on with the same answers", arguments: [false, true])
  func cut(asBundle: Bool) throws {
    let fixture = ServingFixture()
    let path: String
    if asBundle {
      path = try DigitsBundle.write(1, into: directory)
    } else {
      path = directory.path + "/model.tflite"
      DigitsBundle.write(try readFile(Fixtures.digitsModel(1)), to: path)
    }
    try fixture.load(1, path: path).get()
    let image = try DigitsTestSplit().images[0]
    let before = try fixture.answer(image)
    #expect(unsafe truncate(path, 0) == 0)
    #expect(try fixture.answer(image).outputs == before.outputs)
  }

  @Test("no page of the file is mapped once its version serves")
  func unmapped() throws {
    let fixture = ServingFixture()
    let path = directory.path + "/unmapped.tflite"
    DigitsBundle.write(try readFile(Fixtures.digitsModel(1)), to: path)
    try fixture.load(1, path: path).get()
    // The outcome is told before the loader lets go of what it read.
    #expect(
      eventually {
        let maps = (try? readFile("/proc/self/maps")) ?? []
        return !String(decoding: maps, as: UTF8.self).contains(path)
      })
    #expect(try fixture.service.statuses(of: "digits")[0].memory.fileBackedBytes == 0)
  }
}
