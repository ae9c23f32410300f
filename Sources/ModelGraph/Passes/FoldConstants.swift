import ByteParsing
import Tensors

extension Graph {
  /// Computes once what depends on constants alone: reshapes, and quantise and dequantise.
  ///
  /// What `inferShapes` worked out is taken over; so is what a rearrangement of constants gives.
  /// A reshape shares its operand's bytes; the others make new ones, up to `limit` for the whole graph.
  mutating func foldConstants(limit bytesMaximum: Int) throws(GraphError) {
    var kept: [Node] = []
    var folded = 0
    for (index, node) in nodes.enumerated() {
      let result = node.outputs[0]
      if let known = self[result].known {
        self[result].constant = known
        continue
      }
      guard let operand = node.input(0),
        self[operand].constant != nil || self[operand].type.shape.elementCount == 0
      else {
        kept.append(node)
        continue
      }
      switch node.operation {
      case .reshape where self[operand].constant != nil:
        self[result].constant = self[operand].constant
      case .quantize, .dequantize:
        let needed = self[result].type.byteCount ?? .max
        guard needed <= bytesMaximum - folded else {
          throw .foldedBytes(needed: needed, limit: bytesMaximum)
        }
        guard let bytes = self[operand].converted(to: self[result].type) else {
          kept.append(node)
          continue
        }
        folded += needed
        self[result].constant = bytes
      case .stridedCopy, .generate, .concatenate, .cast, .gather, .binary, .reduce:
        let needed = self[result].type.byteCount ?? .max
        let limit = bytesMaximum - folded
        guard let bytes = knownElements(of: index, limit: limit) else {
          kept.append(node)
          continue
        }
        folded += needed
        self[result].constant = bytes
      default: kept.append(node)
      }
    }
    nodes = kept
  }
}

extension Value {
  /// The elements of this constant as codes or numbers of `type`; nil for a pair of types that is
  /// not folded.
  fileprivate func converted(to type: TensorType) -> ByteView? {
    guard let bytes = constant, let count = self.type.shape.elementCount else { return nil }
    if self.type.dataType == .float16, type.dataType == .float32, bytes.count == 2 * count {
      return bytes.widenedHalves
    }
    let reader = ConstantReader(bytes: bytes, type: self.type)
    do throws(ParsingError) {
      switch type.dataType {
      case .float32:
        var numbers: [Float] = []
        numbers.reserveCapacity(count)
        for index in 0..<count {
          guard let number = try reader.real(at: index) else { return nil }
          numbers.append(number)
        }
        return ByteView(numbers)
      case .int8:
        guard self.type.dataType == .float32, let scheme = type.quantization, !scheme.isPerChannel
        else { return nil }
        var codes: [Int8] = []
        codes.reserveCapacity(count)
        for index in 0..<count {
          guard let number = try reader.real(at: index) else { return nil }
          codes.append(scheme.code(of: number))
        }
        return ByteView(codes)
      default: return nil
      }
    } catch {
      return nil
    }
  }
}

extension ByteView {
  /// float16 numbers as float32: all of a model's weights, so without a call or a check for each, and
  /// not before somebody reads them, as nobody does who has them packed. Nil without memory for them.
  fileprivate var widenedHalves: ByteView? {
    unsafe ByteView(count: 2 * count) { [self] result in
      unsafe withUnsafeBytes { bytes in
        for index in 0..<count / 2 {
          // Sound: both hold as many numbers as the loop has turns.
          let half = unsafe UInt32(
            UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
          unsafe result.storeBytes(
            of: Self.widened(half).littleEndian, toByteOffset: 4 * index, as: UInt32.self)
        }
      }
    }
  }

  /// The bits of a float32 with the number of a float16's.
  @inline(__always)
  private static func widened(_ half: UInt32) -> UInt32 {
    let (sign, magnitude) = ((half & 0x8000) << 16, half & 0x7FFF)
    if magnitude >= 0x7C00 {
      let quiet: UInt32 = magnitude > 0x7C00 ? 1 << 22 : 0
      return sign | 0x7F80_0000 | magnitude << 13 | quiet
    }
    if magnitude < 0x400 { return sign | (Float(magnitude) * 0x1p-24).bitPattern }
    return sign | (magnitude << 13 + 112 << 23)
  }
}

extension Quantization {
  /// The int8 code nearest to `number`, half away from zero.
  fileprivate func code(of number: Float) -> Int8 {
    guard !number.isNaN else { return Int8(clamping: zeroPoint) }
    let code = (number / scale).rounded(.toNearestOrAwayFromZero) + Float(zeroPoint)
    return Int8(Swift.min(Swift.max(code, -128), 127))
  }
}
