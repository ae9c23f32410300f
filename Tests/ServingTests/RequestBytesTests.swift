import Serving
import Tensors
import Testing

@Suite("Bytes of requests")
struct RequestBytesTests {
  private static func input(
    _ type: DataType, _ shape: Shape, _ name: String = "x"
  ) -> TensorSpecification {
    TensorSpecification(name: name, type: TensorType(type, shape), signatureShape: shape)
  }

  @Test("hold each element's digits, the brackets around it, and the names of the rows")
  func text() {
    let bytes = RequestBytes([Self.input(.float32, [1, 2, 3])], rowsMaximum: 10)
    // Lists of a row: one, then one, then two.
    #expect(bytes.text == 10 * (6 * 26 + 4 * (1 + 1 + 2) + 17))
    #expect(bytes.message == 10 * (6 * 5 + 17))
    #expect(bytes.tensors == 10 * 6 * 4)
    #expect(bytes.tensorsPerByte == 2)
  }

  @Test("are never less than what the least dense client writes", arguments: DataType.allCases)
  func widths(type: DataType) {
    let longest: [DataType: String] = [
      .bool: "false, ", .int8: "-128, ", .uint8: "255, ", .int16: "-32768, ", .uint16: "65535, ",
      .int32: "-2147483648, ", .uint32: "4294967295, ", .int64: "-9223372036854775808, ",
      .uint64: "18446744073709551615, ", .float32: "-1.1754943508222875e-38, ",
      .float64: "-2.2250738585072014e-308, ",
    ]
    let bytes = RequestBytes([Self.input(type, [])], rowsMaximum: 1)
    #expect(bytes.text - 17 >= longest[type]?.utf8.count ?? 0)
    // A field of its own, and the packed element.
    #expect(bytes.message - 17 > type.bitWidth / 8)
    #expect(bytes.tensorsPerByte * 2 * 8 >= type.bitWidth)
  }

  @Test("of strings have a bound of their own, and those of all inputs add up")
  func strings() {
    let strings = RequestBytes([Self.input(.string, [2])], rowsMaximum: 1)
    #expect(strings.tensors == RequestBytes.stringBytesMaximum)
    #expect(strings.text > RequestBytes.stringBytesMaximum / 3 * 4)
    let one = RequestBytes([Self.input(.int8, [4])], rowsMaximum: 8)
    let both = RequestBytes([Self.input(.int8, [4]), Self.input(.int8, [4])], rowsMaximum: 8)
    #expect(both.text == 2 * one.text)
    #expect(both.union(strings).text == max(both.text, strings.text))
  }

  @Test("do not overflow")
  func huge() {
    let huge = RequestBytes([Self.input(.int64, [1 << 40, 1 << 22])], rowsMaximum: 256)
    #expect(huge.text == Int.max)
    #expect(huge.tensors == Int.max)
    #expect(RequestBytes([Self.input(.int8, [-1])], rowsMaximum: 1).message == Int.max)
  }

  @Test("follow the versions that serve, and outlive the last one")
  func versions() throws {
    let fixture = ServingFixture()
    #expect(fixture.service.requestBound(of: "digits") == .unknown)
    #expect(fixture.service.requestBound() == .unknown)
    fixture.manager.declare("digits")
    #expect(fixture.service.requestBound(of: "digits") == .open)
    #expect(fixture.service.requestBound() == .open)
    try fixture.load(1).get()
    let inputs = try fixture.lease().description.inputs
    let bytes = RequestBytes(inputs, rowsMaximum: ServingLimits().batchMaximum)
    #expect(fixture.service.requestBound(of: "digits") == .bytes(bytes))
    #expect(fixture.service.requestBound() == .bytes(bytes))
    fixture.manager.hold("digits")
    #expect(throws: ServingError.notReady(model: "digits")) { _ = try fixture.lease() }
    #expect(fixture.service.requestBound(of: "digits") == .bytes(bytes))
  }
}
