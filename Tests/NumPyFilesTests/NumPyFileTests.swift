import ByteParsing
import Glibc
import NumPyFiles
import Tensors
import TestSupport
import Testing

@Suite("NumPy arrays")
struct NumPyFileTests {
  /// A file with `header` as its dictionary and `elements` behind it.
  private func file(
    _ header: String, version: UInt8 = 1, elements: [UInt8] = []
  ) -> ByteView {
    let text = Array(header.utf8)
    let low = [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
    let length = version == 1 ? low : low + [0, 0]
    return ByteView([0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + elements)
  }

  private func error(_ file: ByteView) -> NumPyError? {
    do throws(NumPyError) {
      _ = try NumPyFile(file: file)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "every element type comes back as it was written",
    arguments: [
      DataType.bool, .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float16,
      .float32, .float64,
    ])
  func roundTrip(dataType: DataType) throws {
    var random = SplitMix64(seed: UInt64(dataType.rawValue))
    for shape: Shape in [[], [1], [5], [2, 3], [0, 4], [2, 1, 3, 2]] {
      let byteCount = try #require(TensorType(dataType, shape).byteCount)
      let bytes = (0..<byteCount).map { _ in UInt8.random(in: 0...1, using: &random) }
      let array = NumPyFile(dataType: dataType, shape: shape, elements: ByteView(bytes))

      let header = try array.header()
      let read = try NumPyFile(file: ByteView(header + bytes))

      #expect(header.count % 64 == 0)
      #expect(read.dataType == dataType)
      #expect(read.shape == shape)
      #expect(read.elements.array == bytes)
    }
  }

  @Test("a file on disk comes back")
  func disk() throws {
    let path = "/tmp/edgeserve-numpy-\(getpid()).npy"
    defer { _ = unsafe unlink(path) }
    let array = NumPyFile(dataType: .float32, shape: [2], elements: ByteView([Float(1.5), -2]))
    try array.write(to: path)
    let read = try NumPyFile(path: path)
    #expect(read.elements.array == array.elements.array)
  }

  @Test("headers as NumPy, and as others, write them", arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }    \n",
    "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\"}",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
  ])
  func readsHeaders(header: String) throws {
    for version: UInt8 in 1...3 {
      let array = try NumPyFile(
        file: file(header, version: version, elements: Array(repeating: 7, count: 8)))
      #expect(array.shape.elementCount == 2)
    }
  }

  @Test("refusals name what is wrong")
  func refusals() {
    let start = "{'fortran_order': False, 'shape': (2,), 'descr': "
    #expect(error(file(start + "'>f4'}")) == .elementType(">f4"))
    #expect(error(file(start + "'<c16'}")) == .elementType("<c16"))
    #expect(error(file(start + "'<f4'}")) == .byteCount(expected: 8, actual: 0))
    #expect(error(file("{'descr': '<f4', 'fortran_order': False}")) == .missingKey("shape"))
    #expect(
      error(file("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}")) == .columnOrder)
    #expect(
      error(file("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"))
        == .shape([1 << 32, 1 << 32]))
    #expect(error(file("{'descr': [('a', '<f4')]}")) == .malformedHeader(offset: 10))
    #expect(error(file("{}", version: 9)) == .version(major: 9, minor: 0))
    #expect(error(ByteView(Array("not an array".utf8))) == .notAnArray)
    #expect(
      error(ByteView([UInt8(0x93)])) == .unreadable(.outOfBounds(offset: 0, needed: 8, count: 1)))
  }

  @Test("a type that arrays cannot hold is not written")
  func unwritable() {
    let array = NumPyFile(dataType: .int4, shape: [2], elements: ByteView([UInt8(0)]))
    #expect(throws: NumPyError.unwritable("int4")) { try array.header() }
  }

  @Test("no mutation of a file is a crash")
  func mutations() throws {
    let array = NumPyFile(dataType: .int16, shape: [3, 4], elements: ByteView([Int16](0..<12)))
    let whole = try array.header() + array.elements.array
    for count in whole.indices {
      #expect(error(ByteView(Array(whole[..<count]))) != nil)
    }
    var random = SplitMix64(seed: 0x4E50)
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        // Most of the structure is in the first 80 bytes.
        bytes[Int.random(in: 0..<80, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let read = try? NumPyFile(file: ByteView(bytes)) else { continue }
      #expect(TensorType(read.dataType, read.shape).byteCount == read.elements.count)
    }
  }
}
