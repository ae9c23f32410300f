import ByteParsing
import ModelGraph
import TFLiteImport
import TestSupport
import Testing

@Suite("Constants with a decoder")
struct EncodedTensorTests {
  /// The constant that the decoder of a file makes.
  private func decoded(
    _ codes: [UInt8], _ table: [UInt8], shape: [Int], type: Int8 = 9, scales: [Float] = [1],
    axis: Int = 0
  ) throws -> [UInt8]? {
    let bytes = file(codes, table, shape: shape, type: type, scales: scales, axis: axis)
    let graph = try TFLiteModel.graph(from: ByteView(bytes))
    return graph[graph.outputs[0]].constant?.array
  }

  private func file(
    _ codes: [UInt8], _ table: [UInt8], shape: [Int], type: Int8 = 9, scales: [Float] = [1],
    axis: Int = 0
  ) -> [UInt8] {
    var file = SingleOperatorFile(custom: "TFLM_DECODE")
    let operands = [
      file.constant([codes.count], type: 3, bytes: codes),
      file.constant([table.count], type: 3, bytes: table),
    ]
    let output = file.output(shape, type: type, scales: scales, axis: axis)
    return file.bytes(operands, [output])
  }

  private func header(_ kind: UInt8, _ details: UInt8 = 0, _ stride: UInt8 = 0) -> [UInt8] {
    [kind, 1, 0, 0, 1, details, stride] + [UInt8](repeating: 0, count: 9)
  }

  @Test("codes of few bits are looked up in their channel's table")
  func lookUp() throws {
    // 011 101 000 111 001 010, the first bit the highest.
    let codes: [UInt8] = [0b0111_0100, 0b0111_0010, 0b1000_0000]
    let first = (10..<18).map { UInt8($0) }
    let second = (50..<58).map { UInt8($0) }
    #expect(
      try decoded(codes, header(0, 3, 8) + first, shape: [6]) == [13, 15, 10, 17, 11, 12])
    #expect(
      try decoded(codes, header(0, 3, 8) + first + second, shape: [2, 3], scales: [1, 2])
        == [13, 15, 10, 57, 51, 52])
    #expect(
      try decoded(
        codes, header(0, 3, 8) + first + second, shape: [3, 2], scales: [1, 2], axis: 1)
        == [13, 55, 10, 57, 11, 52])
    #expect(
      try decoded([0b10_01_0000], header(0, 2, 4) + [1, 2, 3, 4, 5, 6], shape: [2], type: 7)
        == [5, 6, 3, 4])
  }

  @Test("elements that were pruned are zero")
  func pruned() throws {
    #expect(
      try decoded([0b0101_1000], header(2) + [7, 8, 9], shape: [6]) == [0, 7, 0, 8, 9, 0])
    #expect(
      try decoded([0b0100_0000], header(2) + [1, 2, 3, 4], shape: [3], type: 2)
        == [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0])
  }

  /// Symbols of one bit, two bits and two bits, by tables of one bit each.
  private func entries(bytes: Int) -> [UInt8] {
    let shift = bytes == 2 ? 11 : 27
    let isSymbol = 1 << (8 * bytes - 1)
    let entries = [
      isSymbol | 1 << shift | 0x41, 1, isSymbol | 1 << shift | 0x42, isSymbol | 1 << shift | 0x43,
    ]
    return entries.flatMap { entry in
      (0..<bytes).map { UInt8(truncatingIfNeeded: entry >> (8 * $0)) }
    }
  }

  @Test("symbols of different length follow one another")
  func unfolded() throws {
    // 0 10 11 0 11, and nothing behind the last bit.
    let codes: [UInt8] = [0b0101_1011]
    #expect(
      try decoded(codes, header(1) + entries(bytes: 2), shape: [5])
        == [0x41, 0x42, 0x43, 0x41, 0x43])
    #expect(
      try decoded(codes, header(1, 1) + entries(bytes: 4), shape: [2], type: 7)
        == [0x41, 0, 0x42, 0])
    // One table of two bits, of which the first symbol gives one back.
    let wide = [0x8841, 0x8841, 0x9042, 0x9043].flatMap { entry in
      [UInt8(truncatingIfNeeded: entry), UInt8(entry >> 8)]
    }
    #expect(
      try decoded([0b0101_1010], header(1, 0x10) + wide, shape: [5])
        == [0x41, 0x42, 0x43, 0x41, 0x42])
  }

  @Test("codes that do not lead to all elements are refused")
  func refusals() {
    let table = header(0, 3, 8) + [1, 2, 3, 4]
    let wrong: [[UInt8]] = [
      // Too short, of an unknown kind, of an unknown version, without bits, beyond its table.
      file([0], [0, 1], shape: [2]), file([0], header(5), shape: [2]),
      file([0], [0, 2, 0, 0, 1, 3, 8] + table.dropFirst(7), shape: [2]),
      file([0], header(0, 0, 8) + [1], shape: [2]), file([0xFF], table, shape: [2]),
      // Too few codes, and far too few.
      file([0], table, shape: [3]), file([0], table, shape: [1 << 20]),
      file([0xFF], header(2) + [1], shape: [4]),
      // A symbol in more bits than are left, and tables that lead out of the table.
      file([0b1111_1111], header(1) + entries(bytes: 2), shape: [5]),
      file([0xFF], header(1) + [0xFF, 0, 0xFF, 7], shape: [1]),
      file([0], table, shape: [2], type: 1),
    ]
    for bytes in wrong {
      #expect(throws: TFLiteError.encodedTensor(operator: 0)) {
        try TFLiteModel.graph(from: ByteView(bytes))
      }
    }
  }

  @Test("damaged codes never trap", arguments: 0..<4)
  func damaged(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let files = [
      file([1, 2, 3], header(0, 3, 8) + (0..<16).map { UInt8($0) }, shape: [2, 4], scales: [1, 2]),
      file([0b0101_1000], header(2) + [7, 8, 9], shape: [6]),
      file([0b0101_1011], header(1) + entries(bytes: 2), shape: [5]),
    ]
    for round in 0..<3_000 {
      var bytes = files[round % files.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      _ = try? TFLiteModel.graph(from: ByteView(bytes))
    }
  }

  @Test("constants that were sparse are dense already")
  func densify() throws {
    var file = SingleOperatorFile(124)
    let source = file.constant([3], [1, 2, 3] as [Float])
    let output = file.output([3])
    let bytes = file.bytes([source], [output])
    let graph = try TFLiteModel.graph(from: ByteView(bytes))
    #expect(graph[graph.outputs[0]].constant?.count == 12)
    #expect(graph.nodes.isEmpty)
  }
}
