import Testing

@testable import Serving

@Suite("Versions of members that may answer together")
struct CombinationTests {
  @Test("are all looked at while they are few, and one canary at a time when they are many")
  func bounded() {
    let lists = [[1, 2], [3], [4, 5]]
    #expect(
      ModelRegistry.combinations(of: lists, maximum: 4) == [[1, 3, 4], [1, 3, 5], [2, 3, 4], [2, 3, 5]])
    #expect(ModelRegistry.combinations(of: lists, maximum: 3) == [[1, 3, 4], [2, 3, 4], [1, 3, 5]])
    #expect(ModelRegistry.combinations(of: [], maximum: 1) == [[Int]()])
    #expect(ModelRegistry.combinations(of: [[1], []], maximum: 4) == [])
    let many = ModelRegistry.combinations(
      of: [[Int]](repeating: [0, 1], count: 60), maximum: ServingLimits().combinationsMaximum)
    #expect(many.count == 61)
    #expect(Set(many).count == 61 && many.allSatisfy { $0.reduce(0, +) <= 1 })
  }
}
