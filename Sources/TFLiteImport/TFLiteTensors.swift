import ByteParsing
import ModelGraph
import Tensors

/// Brings one tensor of the file into a value.
struct TFLiteTensorReader {
  typealias Schema = TFLiteSchema.Tensor

  /// The tensor's place in the subgraph.
  let index: Int
  let table: FlatBufferTable
  /// All tensors of the subgraph.
  let tensors: [FlatBufferTable]
  let buffers: TFLiteBuffers
  let origin: Origin

  /// Where a tensor's elements come from.
  enum Origin {
    /// The model is given them.
    case input
    /// An operator makes them.
    case computed
    /// An operator makes them out of those that it made before, whatever the file calls them.
    case kept
    /// The file holds them, or nothing does.
    case stored
  }

  func read() throws(TFLiteError) -> Value {
    let isVariable = try isVariable()
    // What an operator makes anew each time cannot be kept as well.
    guard !isVariable || origin != .computed else { throw .variableTensor(tensor: index) }
    let (planned, signature) = try shapes()
    var type = TensorType(try dataType(), planned)
    let name = try parsing { () throws(ParsingError) in try table.string(Schema.name) } ?? ""
    let constant = origin == .stored && !isVariable ? try constant(of: &type) : nil
    type.quantization = try quantization(of: type)
    return Value(name: name, type: type, signatureShape: signature, constant: constant)
  }

  /// Whether the tensor keeps its elements; what the caller gives anew each time keeps nothing.
  func isVariable() throws(TFLiteError) -> Bool {
    guard origin != .input, origin != .kept else { return false }
    return try parsing { () throws(ParsingError) in try table.bool(Schema.isVariable) }
  }

  /// The schema's number of signed codes of two bits.
  private static let int2: Int8 = 19

  private func dataType() throws(TFLiteError) -> DataType {
    let code = try parsing { () throws(ParsingError) in
      try table.integer(Schema.type, default: Int8(0))
    }
    switch code {
    case 0: return .float32
    case 1: return .float16
    case 2: return .int32
    case 3: return .uint8
    case 4: return .int64
    case 5: return .string
    case 6: return .bool
    case 7: return .int16
    case 8: return .complex64
    case 9: return .int8
    case 10: return .float64
    case 12: return .uint64
    case 15: return .uint32
    case 16: return .uint16
    case 17: return .int4
    // Constants become int8, and nothing computes others.
    case Self.int2 where origin == .stored: return .int8
    // The handle of a variable has no elements that anything reads.
    case 13 where origin == .computed: return .int32
    default: throw .dataType(tensor: index, code: code)
    }
  }

  /// The shape to plan for, with 1 for each free extent, and the declared one, with −1 there.
  private func shapes() throws(TFLiteError) -> (planned: Shape, signature: Shape) {
    let stored = try extents(Schema.shape) ?? []
    let declared = try extents(Schema.shapeSignature) ?? []
    let isFree = { (axis: Int) in
      stored[axis] < 0 || (declared.count == stored.count && declared[axis] < 0)
    }
    let planned = Shape(stored.indices.map { isFree($0) ? 1 : stored[$0] })
    let signature = Shape(stored.indices.map { isFree($0) ? -1 : stored[$0] })
    guard planned.rank <= Shape.rankMaximum, planned.elementCount != nil else {
      throw .tensorShape(tensor: index, extents: stored)
    }
    return (planned, signature)
  }

  private func extents(_ field: Int) throws(TFLiteError) -> [Int]? {
    try parsing { () throws(ParsingError) in
      try table.integers(field, as: Int32.self, limit: TFLiteLimits.extentsMaximum)
    }?.map { Int($0) }
  }

  /// The elements that the file holds for this tensor; nil when it holds none.
  ///
  /// Codes of less than a byte become int8, and zeros that are not stored are put in.
  private func constant(of type: inout TensorType) throws(TFLiteError) -> ByteView? {
    let number = try parsing { () throws(ParsingError) in
      try table.integer(Schema.buffer, default: UInt32(0))
    }
    guard number < buffers.count else {
      throw .bufferOutOfRange(tensor: index, index: number, count: buffers.count)
    }
    let bytes = try buffers.bytes(at: Int(number))
    guard type.dataType != .string else { return bytes }
    guard let whole = type.byteCount else {
      throw .tensorShape(tensor: index, extents: type.shape.extents)
    }
    let code = try parsing { () throws(ParsingError) in
      try table.integer(Schema.type, default: Int8(0))
    }
    let expected = code == Self.int2 ? (whole + 3) / 4 : whole
    // A tensor without elements is constant although nothing is stored for it.
    guard let bytes, !bytes.isEmpty else { return expected == 0 ? ByteView([UInt8]()) : nil }
    let sparsity = try parsing { () throws(ParsingError) in try table.table(Schema.sparsity) }
    if let sparsity {
      return try TFLiteSparsity(sparsity, tensor: index).dense(
        bytes, shape: type.shape, elementBytes: type.dataType.bitWidth / 8)
    }
    guard bytes.count == expected else {
      throw .constantByteCount(tensor: index, expected: expected, actual: bytes.count)
    }
    if code == Self.int2 { return TFLiteDenseForms.widened(bytes, count: whole, bits: 2) }
    guard type.dataType == .int4, let count = type.shape.elementCount else { return bytes }
    type.dataType = .int8
    return TFLiteDenseForms.widened(bytes, count: count, bits: 4)
  }

  private func quantization(of type: TensorType) throws(TFLiteError) -> Quantization? {
    typealias Field = TFLiteSchema.Quantization
    let read = try parsing { () throws(ParsingError) -> (FlatBufferTable, [Float], [Int64])? in
      guard let table = try table.table(Schema.quantization) else { return nil }
      let scales = try table.floats(Field.scale, limit: TFLiteLimits.scalesMaximum)
      let zeroPoints = try table.integers(
        Field.zeroPoint, as: Int64.self, limit: TFLiteLimits.scalesMaximum)
      return (table, scales ?? [], zeroPoints ?? [])
    }
    guard let (table, scales, stored) = read else { return nil }
    let (details, axis) = try parsing { () throws(ParsingError) in
      (
        try table.integer(Field.detailsType, default: UInt8(0)),
        Int(try table.integer(Field.axis, default: Int32(0)))
      )
    }
    if details == Field.blockwise { return try blockwise(table, of: type) }
    guard !scales.isEmpty else { return nil }
    let zeroPoints = stored.isEmpty ? Array(repeating: 0, count: scales.count) : stored
    let admitted = type.dataType.zeroPoints
    guard zeroPoints.count == scales.count, scales.allSatisfy({ $0.isFinite && $0 >= 0 }),
      zeroPoints.allSatisfy({ admitted.contains($0) })
    else { throw .quantization(tensor: index) }
    if scales.count > 1 {
      // Scales along an axis that the tensor does not have mean nothing; some converters write them
      // on biases.
      guard type.shape.extents.indices.contains(axis), type.shape[axis] == scales.count else {
        return nil
      }
    }
    return Quantization(scales: scales, zeroPoints: zeroPoints.map { Int32($0) }, axis: axis)
  }
}

extension TFLiteTensorReader {
  /// Scales of blocks of a matrix's rows, which are a float16 tensor of their own.
  private func blockwise(
    _ table: FlatBufferTable, of type: TensorType
  ) throws(TFLiteError) -> Quantization {
    typealias Field = TFLiteSchema.BlockwiseQuantization
    let read = try parsing { () throws(ParsingError) -> (Int, Int, Int)? in
      guard let details = try table.table(TFLiteSchema.Quantization.details) else { return nil }
      return (
        Int(try details.integer(Field.scales, default: Int32(0))),
        Int(try details.integer(Field.zeroPoints, default: Int32(0))),
        Int(try details.integer(Field.blockSize, default: Int32(0)))
      )
    }
    // Of codes around 0; which tensor has the zero points is a number below 0 then.
    guard let (place, zeroPoints, size) = read, zeroPoints < 0, type.dataType == .int8,
      type.shape.rank == 2, size > 0, type.shape[1] % size == 0, tensors.indices.contains(place),
      let count = type.shape.elementCount
    else { throw .quantization(tensor: index) }
    let bytes = try parsing { () throws(ParsingError) -> (UInt32, Int8) in
      (
        try tensors[place].integer(Schema.buffer, default: UInt32(0)),
        try tensors[place].integer(Schema.type, default: Int8(0))
      )
    }
    guard bytes.1 == 1, bytes.0 < buffers.count, let halves = try buffers.bytes(at: Int(bytes.0)),
      halves.count == count / size * 2
    else { throw .quantization(tensor: index) }
    let stored = halves.array
    let scales = stride(from: 0, to: stored.count, by: 2).map {
      Float(Float16(bitPattern: UInt16(stored[$0]) | UInt16(stored[$0 + 1]) << 8))
    }
    guard scales.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw .quantization(tensor: index)
    }
    return Quantization(
      scales: scales, zeroPoints: Array(repeating: 0, count: scales.count), blockSize: size)
  }
}

/// The constants' bytes of a file.
struct TFLiteBuffers {
  let file: ByteView
  let tables: [FlatBufferTable]

  var count: Int { tables.count }

  /// The bytes of buffer `index`, inside the FlatBuffer or, in files beyond 2 GiB, after it; nil
  /// when it has none.
  func bytes(at index: Int) throws(TFLiteError) -> ByteView? {
    typealias Field = TFLiteSchema.Buffer
    // The first buffer is empty by convention, whatever it says.
    guard index > 0 else { return nil }
    return try parsing { () throws(ParsingError) in
      let table = tables[index]
      if let data = try table.byteVector(Field.data), !data.isEmpty { return data }
      let offset = try table.integer(Field.offset, default: UInt64(0))
      let size = try table.integer(Field.size, default: UInt64(0))
      guard offset > 1 else { return nil }
      return try file.slice(at: Int(clamping: offset), count: Int(clamping: size))
    }
  }
}
