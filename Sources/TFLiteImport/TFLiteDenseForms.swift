import ByteParsing
import Tensors

/// Constants that a file holds in fewer bytes than their elements take: of less than a byte each, or without their
/// zeros.
enum TFLiteDenseForms {
  /// The signed codes of `bits` (2 or 4) bits each, low bits first, as int8.
  static func widened(_ bytes: ByteView, count: Int, bits: Int) -> ByteView {
    let (packed, perByte) = (bytes.array, 8 / bits)
    return ByteView(
      (0..<count).map { index -> Int8 in
        let byte = Int8(bitPattern: packed[index / perByte])
        let end = Int8(8 - bits * (index % perByte + 1))
        return (byte << end) >> Int8(8 - bits)
      })
  }
}

/// How a tensor is stored without its zeros: a tree of axes, outermost first, each with all its indices or with those
/// that are in use.
///
/// - Source: the TensorFlow Lite schema's `SparsityParameters`.
struct TFLiteSparsity {
  private typealias Field = TFLiteSchema.Sparsity

  private enum Level {
    case dense(extent: Int)
    case compressed(segments: [Int], indices: [Int])
  }

  /// The tensor's place in the subgraph.
  let tensor: Int
  private let levels: [Level]
  /// The axis of each level; those from the tensor's rank on divide the axes of `blocks` again.
  private let order: [Int]
  private let blocks: [Int]

  init(_ table: FlatBufferTable, tensor: Int) throws(TFLiteError) {
    self.tensor = tensor
    let limit = TFLiteLimits.extentsMaximum
    let read = try parsing { () throws(ParsingError) in
      (
        try table.integers(Field.order, as: Int32.self, limit: limit) ?? [],
        try table.integers(Field.blocks, as: Int32.self, limit: limit) ?? [],
        try table.tables(Field.levels, limit: limit)
      )
    }
    order = read.0.map { Int($0) }
    blocks = read.1.map { Int($0) }
    var levels: [Level] = []
    for entry in read.2 { levels.append(try Self.level(entry)) }
    self.levels = levels
  }

  private static func level(_ table: FlatBufferTable) throws(TFLiteError) -> Level {
    typealias Field = TFLiteSchema.SparseAxis
    return try parsing { () throws(ParsingError) -> Level in
      guard try table.integer(Field.format, default: Int8(0)) != 0 else {
        return .dense(extent: Int(try table.integer(Field.extent, default: Int32(0))))
      }
      return .compressed(
        segments: try integers(table, Field.segmentsType, Field.segments),
        indices: try integers(table, Field.indicesType, Field.indices))
    }
  }

  /// A vector of the width that the union's type names.
  private static func integers(
    _ table: FlatBufferTable, _ type: Int, _ field: Int
  ) throws(ParsingError) -> [Int] {
    let limit = TFLiteLimits.sparseIndicesMaximum
    guard let vector = try table.table(field) else { return [] }
    switch try table.integer(type, default: UInt8(0)) {
    case 1: return try vector.integers(0, as: Int32.self, limit: limit)?.map { Int($0) } ?? []
    case 2: return try vector.integers(0, as: UInt16.self, limit: limit)?.map { Int($0) } ?? []
    default: return try vector.integers(0, as: UInt8.self, limit: limit)?.map { Int($0) } ?? []
    }
  }

  /// All elements of the tensor, those that are not stored as zero bytes.
  func dense(_ stored: ByteView, shape: Shape, elementBytes: Int) throws(TFLiteError) -> ByteView {
    let rank = shape.rank
    guard let count = shape.elementCount, elementBytes > 0, levels.count == order.count,
      levels.count == rank + blocks.count, Set(order) == Set(0..<order.count),
      order.prefix(rank).allSatisfy({ $0 < rank }), blocks.allSatisfy({ (0..<rank).contains($0) }),
      count <= TFLiteLimits.sparseExpansionMaximum * (stored.count / elementBytes + 1)
    else { throw .sparseTensor(tensor: tensor) }
    var walk = Walk(
      sparsity: self, shape: shape, elementBytes: elementBytes, stored: stored.array,
      bytes: [UInt8](repeating: 0, count: count * elementBytes),
      index: [Int](repeating: 0, count: levels.count))
    try walk.visit(level: 0, place: 0)
    guard walk.next * elementBytes == stored.count else { throw .sparseTensor(tensor: tensor) }
    return ByteView(walk.bytes)
  }

  /// The way through the tree, which meets the stored elements in order.
  private struct Walk {
    let sparsity: TFLiteSparsity
    let shape: Shape
    let elementBytes: Int
    let stored: [UInt8]
    var bytes: [UInt8]
    var index: [Int]
    /// Stored elements met so far.
    var next = 0

    /// Recursion is as deep as there are levels, of which a file may have `TFLiteLimits.extentsMaximum`.
    mutating func visit(level: Int, place: Int) throws(TFLiteError) {
      guard level < sparsity.levels.count else { return try put() }
      switch sparsity.levels[level] {
      case .dense(let extent):
        // Elements are stored for every index, so a walk cannot be longer than they are.
        let (first, overflow) = place.multipliedReportingOverflow(by: extent)
        guard extent > 0, !overflow else { throw .sparseTensor(tensor: sparsity.tensor) }
        for i in 0..<extent {
          index[level] = i
          try visit(level: level + 1, place: first + i)
        }
      case .compressed(let segments, let indices):
        guard place + 1 < segments.count, segments[place] >= 0,
          segments[place] <= segments[place + 1], segments[place + 1] <= indices.count
        else { throw .sparseTensor(tensor: sparsity.tensor) }
        for i in segments[place]..<segments[place + 1] {
          index[level] = indices[i]
          try visit(level: level + 1, place: i)
        }
      }
    }

    private mutating func put() throws(TFLiteError) {
      let rank = shape.rank
      var coordinates = [Int](repeating: 0, count: rank)
      for level in 0..<rank { coordinates[sparsity.order[level]] = index[level] }
      for level in rank..<index.count {
        let axis = sparsity.blocks[sparsity.order[level] - rank]
        guard case .dense(let extent) = sparsity.levels[level] else {
          throw .sparseTensor(tensor: sparsity.tensor)
        }
        coordinates[axis] = coordinates[axis] * extent + index[level]
      }
      var offset = 0
      for (axis, coordinate) in coordinates.enumerated() {
        guard coordinate >= 0, coordinate < shape[axis] else {
          throw .sparseTensor(tensor: sparsity.tensor)
        }
        offset = offset * shape[axis] + coordinate
      }
      guard (next + 1) * elementBytes <= stored.count else {
        throw .sparseTensor(tensor: sparsity.tensor)
      }
      for byte in 0..<elementBytes {
        bytes[offset * elementBytes + byte] = stored[next * elementBytes + byte]
      }
      next += 1
    }
  }
}
