import ByteParsing
import Tensors

/// Reads the elements of a constant as the real numbers that they stand for.
struct ConstantReader {
  let bytes: ByteView
  let type: TensorType
  /// Elements that follow one another under one index of the quantised axis.
  private let inner: Int

  init(bytes: ByteView, type: TensorType) {
    self.bytes = bytes
    self.type = type
    let axis = type.quantization?.axis ?? 0
    inner = Shape(Array(type.shape.extents.dropFirst(axis + 1))).elementCount ?? 1
  }

  /// The number at `index`; nil for element types without a real value, or without their scale.
  func real(at index: Int) throws(ParsingError) -> Float? {
    switch type.dataType {
    case .float32: return Float(bitPattern: try bytes.load(UInt32.self, at: 4 * index))
    case .float16: return Float(Float16(bitPattern: try bytes.load(UInt16.self, at: 2 * index)))
    case .int8: return scaled(Int32(try bytes.load(Int8.self, at: index)), at: index)
    case .uint8: return scaled(Int32(try bytes.load(UInt8.self, at: index)), at: index)
    case .int16: return scaled(Int32(try bytes.load(Int16.self, at: 2 * index)), at: index)
    case .int32: return scaled(try bytes.load(Int32.self, at: 4 * index), at: index)
    case .int64: return scaled(try bytes.load(Int64.self, at: 8 * index), at: index)
    case .int4:
      let pair = try bytes.load(Int8.self, at: index / 2)
      let code = index % 2 == 0 ? (pair << 4) >> 4 : pair >> 4
      return scaled(Int32(code), at: index)
    case .bool, .uint16, .uint32, .uint64, .float64, .complex64, .string: return nil
    }
  }

  private func scaled(_ code: some BinaryInteger, at index: Int) -> Float? {
    guard let scheme = type.quantization else { return nil }
    if let size = scheme.blockSize { return Float(Int64(code)) * scheme.scales[index / size] }
    let channel = scheme.isPerChannel ? (index / Swift.max(inner, 1)) % scheme.scales.count : 0
    return Float(Int64(code) &- Int64(scheme.zeroPoints[channel])) * scheme.scales[channel]
  }
}
