import ByteParsing
import ModelGraph
import TFLiteImport
import Tensors
import TestSupport
import Testing

@Suite("Constants stored in fewer bytes than their elements")
struct DenseFormTests {
  /// A fully connected layer of two outputs whose weights are tensor 1.
  private func model(_ weights: TFLiteWriter.Tensor, _ bytes: [UInt8]) -> TFLiteWriter {
    var model = TFLiteWriter()
    model.codes = [(9, 1)]
    model.tensors = [
      TFLiteWriter.Tensor([1, weights.shape[1]]), weights, TFLiteWriter.Tensor([1, 2]),
    ]
    model.operators = [TFLiteWriter.Operator(inputs: [0, 1], outputs: [2])]
    (model.inputs, model.outputs, model.buffers) = ([0], [2], [bytes])
    return model
  }

  private func weights(_ model: TFLiteWriter) throws(TFLiteError) -> Value {
    try TFLiteModel.graph(from: ByteView(model.bytes())).values[1]
  }

  @Test("four-bit codes become bytes, the low half first, with their sign")
  func nibbles() throws {
    var tensor = TFLiteWriter.Tensor([2, 3], type: 17, buffer: 1)
    (tensor.scales, tensor.zeroPoints) = ([0.5], [0])
    let value = try weights(model(tensor, [0x71, 0xF8, 0x3A]))
    #expect(value.type.dataType == .int8)
    #expect(value.constant?.array.map { Int8(bitPattern: $0) } == [1, 7, -8, -1, -6, 3])
    #expect(value.type.quantization == Quantization(scale: 0.5, zeroPoint: 0))
  }

  @Test("four-bit codes of another number of bytes are refused")
  func nibbleCount() {
    var tensor = TFLiteWriter.Tensor([2, 3], type: 17, buffer: 1)
    (tensor.scales, tensor.zeroPoints) = ([0.5], [0])
    #expect(throws: TFLiteError.constantByteCount(tensor: 1, expected: 3, actual: 4)) {
      _ = try weights(model(tensor, [0, 0, 0, 0]))
    }
  }

  @Test("two-bit codes become bytes, the lowest bits first, with their sign")
  func pairsOfBits() throws {
    var tensor = TFLiteWriter.Tensor([2, 3], type: 19, buffer: 1)
    (tensor.scales, tensor.zeroPoints) = ([0.5], [0])
    var file = model(tensor, [0b11_10_01_00, 0b0001])
    file.codes = [(9, 14)]
    let value = try weights(file)
    #expect(value.type.dataType == .int8)
    #expect(value.constant?.array.map { Int8(bitPattern: $0) } == [0, 1, -2, -1, 1, 0])
    #expect(throws: TFLiteError.constantByteCount(tensor: 1, expected: 2, actual: 6)) {
      _ = try weights(model(tensor, [0, 0, 0, 0, 0, 0]))
    }
  }

  /// Two rows of four codes in blocks of two, whose scales 1, 2, 3 and 4 are float16 in tensor 3.
  private func blocks(
    size: Int32 = 2, scales: Int32 = 3, zeroPoints: Int32 = -1, halves: Int = 4
  ) -> TFLiteWriter {
    var tensor = TFLiteWriter.Tensor([2, 4], type: 17, buffer: 1)
    tensor.blocks = [.int32(scales), .int32(zeroPoints), .int32(size)]
    var model = model(tensor, [0x21, 0x43, 0xFE, 0xDC])
    model.tensors.append(TFLiteWriter.Tensor([2, Int32(halves / 2)], type: 1, buffer: 2))
    let bits: [UInt16] = [0x3C00, 0x4000, 0x4200, 0x4400]
    model.buffers.append(bits.prefix(halves).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
    return model
  }

  @Test("four-bit codes may have a scale for each block of a row")
  func blockScales() throws {
    let value = try weights(blocks())
    #expect(value.constant?.array.map { Int8(bitPattern: $0) } == [1, 2, 3, 4, -2, -1, -4, -3])
    #expect(
      value.type.quantization
        == Quantization(scales: [1, 2, 3, 4], zeroPoints: [0, 0, 0, 0], blockSize: 2))
  }

  @Test("blocks that do not fit their scales or their rows are refused")
  func blockScalesThatDoNotFit() {
    for model in [
      blocks(size: 3), blocks(size: 0), blocks(size: -2), blocks(scales: 9), blocks(scales: -1),
      blocks(scales: 0), blocks(zeroPoints: 0), blocks(halves: 2),
    ] {
      #expect(throws: TFLiteError.quantization(tensor: 1)) { _ = try weights(model) }
    }
  }

  /// Rows as they are, columns by index: `segments` and `indices` are bytes.
  private func rows(_ count: Int32, segments: [UInt8], indices: [UInt8]) -> [FlatBufferField] {
    [
      .int32s([0, 1]), .absent,
      .tables([
        [.int8(0), .int32(count)],
        [
          .int8(1), .absent, .int8(3), .table([.bytes(segments)]), .int8(3),
          .table([.bytes(indices)]),
        ],
      ]),
    ]
  }

  private func sparse(_ sparsity: [FlatBufferField], _ codes: [UInt8]) -> TFLiteWriter {
    var tensor = TFLiteWriter.Tensor([2, 4], type: 9, buffer: 1)
    (tensor.scales, tensor.zeroPoints) = ([0.5], [0])
    tensor.sparsity = sparsity
    return model(tensor, codes)
  }

  @Test("columns that are not stored are zero")
  func compressedRows() throws {
    let value = try weights(
      sparse(rows(2, segments: [0, 1, 3], indices: [2, 0, 3]), [5, 6, 7]))
    #expect(value.constant?.array == [0, 0, 5, 0, 6, 0, 0, 7])
  }

  @Test("blocks of columns are stored whole")
  func blocks() throws {
    let sparsity: [FlatBufferField] = [
      .int32s([0, 1, 2]), .int32s([1]),
      .tables([
        [.int8(0), .int32(2)],
        [
          .int8(1), .absent, .int8(1), .table([.int32s([0, 1, 2])]), .int8(1),
          .table([.int32s([1, 0])]),
        ],
        [.int8(0), .int32(2)],
      ]),
    ]
    let value = try weights(sparse(sparsity, [1, 2, 3, 4]))
    #expect(value.constant?.array == [0, 0, 1, 2, 3, 4, 0, 0])
  }

  @Test(
    "indices that do not lead to the elements stored are refused",
    arguments: [
      ([0, 1, 3], [2, 0, 4], 3), ([0, 1, 2], [2, 0], 3), ([0, 1, 4], [2, 0, 3], 3),
      ([0, 3, 1], [2, 0, 3], 3), ([0], [2, 0, 3], 3), ([0, 1, 3], [2, 0, 3], 2),
    ] as [([UInt8], [UInt8], Int)])
  func wrongIndices(segments: [UInt8], indices: [UInt8], stored: Int) {
    let codes = [UInt8](repeating: 1, count: stored)
    #expect(throws: TFLiteError.sparseTensor(tensor: 1)) {
      _ = try weights(sparse(rows(2, segments: segments, indices: indices), codes))
    }
  }

  @Test("a tensor much larger than what is stored of it is refused")
  func expansion() {
    var tensor = TFLiteWriter.Tensor([2, 1 << 28], type: 9, buffer: 1)
    (tensor.scales, tensor.zeroPoints) = ([0.5], [0])
    tensor.sparsity = rows(2, segments: [0, 1, 1], indices: [0])
    #expect(throws: TFLiteError.sparseTensor(tensor: 1)) {
      _ = try weights(model(tensor, [1]))
    }
  }

  @Test("a damaged sparse tensor never traps", arguments: 0..<8)
  func damaged(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let whole = sparse(rows(2, segments: [0, 1, 3], indices: [2, 0, 3]), [5, 6, 7]).bytes()
    for _ in 0..<2_500 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      guard let graph = try? TFLiteModel.graph(from: ByteView(bytes)) else { continue }
      _ = try? canonicalize(graph)
    }
  }
}
