import ByteParsing
import KernelInterface

/// Where the constants of a float32 gate are.
struct GateSources: Sendable {
  var inputWeights: Source
  var recurrentWeights: Source
  var bias: Source
  var peephole: Source?
  var normalization: Source?

  func bound(_ memory: ProgramMemory) -> LSTMGateFloat32 {
    unsafe LSTMGateFloat32(
      inputWeights: memory.address(inputWeights),
      recurrentWeights: memory.address(recurrentWeights), bias: memory.address(bias),
      peephole: peephole.map { unsafe memory.address($0) },
      normalization: normalization.map { unsafe memory.address($0) })
  }
}

/// The constants of an int8 gate and where they are.
struct GateInt8: Sendable {
  var inputWeights: Source
  var recurrentWeights: Source
  var inputBias: PackedID
  var recurrentBias: PackedID
  var inputScale: FixedPointScale
  var recurrentScale: FixedPointScale

  func bound(_ memory: ProgramMemory) -> LSTMGateInt8 {
    unsafe LSTMGateInt8(
      inputWeights: memory.address(inputWeights),
      recurrentWeights: memory.address(recurrentWeights),
      inputBias: memory.address(.packed(inputBias)),
      recurrentBias: memory.address(.packed(recurrentBias)), inputScale: inputScale,
      recurrentScale: recurrentScale)
  }
}

/// The number formats of an int8 long short-term memory.
struct LSTMQuantization {
  var cellExponent: Int
  var cellClip: Int16
  var outputScale: FixedPointScale
  var outputZeroPoint: Int32
}

extension ByteView {
  /// The bytes as little-endian 32-bit integers; a rest of less than four is left out.
  var int32s: [Int32] {
    let bytes = array
    return stride(from: 0, to: bytes.count - 3, by: 4).map { start in
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
      return Int32(bitPattern: bits)
    }
  }
}
