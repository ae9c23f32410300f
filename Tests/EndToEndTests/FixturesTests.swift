import TestSupport
import Testing

@Suite("Fixtures")
struct FixturesTests {
  @Test("hold five hundred pictures of ten classes")
  func testSplit() throws {
    let split = try DigitsTestSplit()
    #expect(split.images.count == 500 && split.images.allSatisfy { $0.count == 64 })
    #expect(split.labels.count == 500 && Set(split.labels) == Set(0...9))
  }

  @Test("hold golden vectors of every version", arguments: Fixtures.digitsVersions)
  func goldenVectors(version: Int) throws {
    let vectors = try Fixtures.goldenVectors(beside: Fixtures.digitsModel(version))
    #expect(vectors.count == (version <= 2 ? 16 : 4))
    for vector in vectors {
      #expect(vector.input.shape == [1, 8, 8, 1] && vector.input.elementType == "|i1")
      #expect(vector.output.shape == [1, 10] && vector.output.int8.count == 10)
    }
  }

  @Test("know what half plus two answers")
  func halfPlusTwo() throws {
    for vector in try Fixtures.goldenVectors(beside: Fixtures.halfPlusTwoModel) {
      #expect(vector.output.float32 == vector.input.float32.map { $0 / 2 + 2 })
    }
  }
}
