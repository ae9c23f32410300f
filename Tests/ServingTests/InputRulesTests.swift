import Tensors
import TestSupport
import Testing

@testable import Serving

@Suite("Input rules")
struct InputRulesTests {
  private static func tensor<T: BitwiseCopyable>(_ type: DataType, _ values: [T]) -> NamedTensor {
    NamedTensor(
      name: "x", dataType: type, shape: Shape([values.count]),
      bytes: values.flatMap { value in unsafe withUnsafeBytes(of: value) { unsafe Array($0) } })
  }

  private static func rules(finite: Bool = false, _ range: ClosedRange<Double>? = nil) -> InputRules {
    var rules = InputRules()
    rules.allowsNonFinite = !finite
    rules.range = range
    return rules
  }

  @Test("numbers that are none are found, wherever they stand")
  func finite() {
    let rules = Self.rules(finite: true)
    #expect(rules.firstViolation(Self.tensor(.float32, [1, 2, Float.nan, .infinity])) == 2)
    #expect(rules.firstViolation(Self.tensor(.float32, [1, -Float.infinity])) == 1)
    #expect(rules.firstViolation(Self.tensor(.float64, [Double.greatestFiniteMagnitude])) == nil)
    #expect(rules.firstViolation(Self.tensor(.float64, [Double.nan])) == 0)
    #expect(rules.firstViolation(Self.tensor(.int8, [Int8.min, .max])) == nil)
    #expect(Self.rules().isTrivial)
    #expect(!rules.isTrivial)
  }

  @Test("a range holds for every type of number, its bounds included")
  func range() {
    let rules = Self.rules(-40...125)
    #expect(rules.firstViolation(Self.tensor(.float32, [-40, 125] as [Float])) == nil)
    #expect(rules.firstViolation(Self.tensor(.float32, [0, 125.01] as [Float])) == 1)
    #expect(rules.firstViolation(Self.tensor(.float32, [Float.infinity])) == 0)
    // NaN lies in no range, and is for the other rule.
    #expect(rules.firstViolation(Self.tensor(.float32, [Float.nan])) == nil)
    #expect(rules.firstViolation(Self.tensor(.int8, [-41, 0] as [Int8])) == 0)
    #expect(rules.firstViolation(Self.tensor(.uint8, [125, 126] as [UInt8])) == 1)
    #expect(rules.firstViolation(Self.tensor(.int16, [-41] as [Int16])) == 0)
    #expect(rules.firstViolation(Self.tensor(.uint16, [126] as [UInt16])) == 0)
    #expect(rules.firstViolation(Self.tensor(.int32, [1, -41] as [Int32])) == 1)
    #expect(rules.firstViolation(Self.tensor(.uint32, [126] as [UInt32])) == 0)
    #expect(rules.firstViolation(Self.tensor(.int64, [Int64.min])) == 0)
    #expect(rules.firstViolation(Self.tensor(.uint64, [UInt64.max])) == 0)
  }

  @Test("a request that breaks a rule is refused with the place, and counted as invalid")
  func refused() throws {
    let fixture = ServingFixture()
    fixture.manager.declare("half", inputRules: Self.rules(finite: true, 0...10))
    try fixture.load(1, path: Fixtures.halfPlusTwoModel, model: "half").get()
    let lease = try fixture.lease(model: "half")
    let ask = { (values: [Float]) throws in
      _ = try fixture.infer(lease, InferenceRequest(inputs: [Self.tensor(.float32, values)]))
    }
    try ask([0, 10])
    #expect(throws: ServingError.elementNotAdmitted(input: "x", index: 1)) { try ask([0, 11]) }
    #expect(throws: ServingError.elementNotAdmitted(input: "x", index: 0)) { try ask([.nan]) }
    let status = try #require(try fixture.service.statuses(of: "half").first)
    #expect(status.outcomes == [.ok: 1, .invalid: 2])
  }
}
