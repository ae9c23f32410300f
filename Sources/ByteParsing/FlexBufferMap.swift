/// A FlexBuffer whose root is a map of scalars: the options of custom operators.
///
/// Everything is checked as it is read and nothing is trusted, so any bytes may be given. Values
/// that are not scalars are left alone.
package struct FlexBufferMap {
  /// Entries that a map may have at most.
  package static let entriesMaximum = 256

  private let bytes: ByteView
  /// Where the values begin; the types follow behind them.
  private let values: Int
  private let valueWidth: Int
  private let count: Int
  private let keys: Int
  private let keyWidth: Int

  /// The numbers that the format gives to types.
  private enum Kind: UInt8 {
    case null = 0
    case integer = 1
    case unsigned = 2
    case float = 3
    case indirectInteger = 6
    case indirectUnsigned = 7
    case indirectFloat = 8
    case map = 9
    case bool = 26
  }

  /// A scalar as it is stored.
  private enum Scalar {
    case null
    case integer(Int64)
    case unsigned(UInt64)
    case real(Double)
  }

  /// Opens the map that `bytes` end with.
  package init(_ bytes: ByteView) throws(ParsingError) {
    let width = Int(try bytes.byte(at: bytes.count - 1))
    let type = try bytes.byte(at: bytes.count - 2)
    guard type >> 2 == Kind.map.rawValue else {
      throw .flexBufferType(offset: bytes.count - 2, type: type >> 2)
    }
    self.bytes = bytes
    values = try Self.target(bytes, at: bytes.count - 2 - width, width: width)
    valueWidth = 1 << Int(type & 3)
    // Before the values: where the keys are, how wide their offsets are, how many there are.
    let size = try Self.unsigned(bytes, at: values - valueWidth, width: valueWidth)
    guard size <= Self.entriesMaximum else {
      throw .tooManyElements(
        offset: values, count: Int(clamping: size), limit: Self.entriesMaximum)
    }
    count = Int(size)
    keys = try Self.target(bytes, at: values - 3 * valueWidth, width: valueWidth)
    let keyWidth = try Self.unsigned(bytes, at: values - 2 * valueWidth, width: valueWidth)
    self.keyWidth = Int(clamping: keyWidth)
  }

  /// The whole number of `key`; nil when it is absent or null.
  package func integer(_ key: String) throws(ParsingError) -> Int? {
    switch try scalar(key) {
    case .null: nil
    case .integer(let value): Int(clamping: value)
    case .unsigned(let value): Int(clamping: value)
    case .real(let value): value.isFinite ? Int(exactly: value.rounded(.towardZero)) : nil
    }
  }

  /// The real number of `key`; nil when it is absent or null.
  package func real(_ key: String) throws(ParsingError) -> Double? {
    switch try scalar(key) {
    case .null: nil
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .real(let value): value
    }
  }

  /// The truth of `key`; nil when it is absent or null.
  package func bool(_ key: String) throws(ParsingError) -> Bool? {
    try integer(key).map { $0 != 0 }
  }

  private func scalar(_ key: String) throws(ParsingError) -> Scalar {
    for index in 0..<count where try hasKey(key, at: index) {
      let place = values + index * valueWidth
      let type = try bytes.byte(at: values + count * valueWidth + index)
      return try scalar(at: place, type: type)
    }
    return .null
  }

  private func scalar(at place: Int, type: UInt8) throws(ParsingError) -> Scalar {
    let width = 1 << Int(type & 3)
    switch Kind(rawValue: type >> 2) {
    case .null: return .null
    case .integer: return .integer(try Self.signed(bytes, at: place, width: valueWidth))
    case .unsigned, .bool:
      return .unsigned(try Self.unsigned(bytes, at: place, width: valueWidth))
    case .float: return .real(try Self.real(bytes, at: place, width: valueWidth))
    case .indirectInteger, .indirectUnsigned, .indirectFloat:
      let target = try Self.target(bytes, at: place, width: valueWidth)
      switch Kind(rawValue: type >> 2) {
      case .indirectInteger: return .integer(try Self.signed(bytes, at: target, width: width))
      case .indirectUnsigned: return .unsigned(try Self.unsigned(bytes, at: target, width: width))
      default: return .real(try Self.real(bytes, at: target, width: width))
      }
    case .map, nil: throw .flexBufferType(offset: place, type: type >> 2)
    }
  }

  /// Whether key `index` is `key`, which ends with a zero in the buffer.
  private func hasKey(_ key: String, at index: Int) throws(ParsingError) -> Bool {
    let start = try Self.target(bytes, at: keys + index * keyWidth, width: keyWidth)
    var place = start
    for character in key.utf8 {
      guard try bytes.byte(at: place) == character else { return false }
      place += 1
    }
    return try bytes.byte(at: place) == 0
  }

  /// What the offset at `place` points at, which lies before it.
  private static func target(
    _ bytes: ByteView, at place: Int, width: Int
  ) throws(ParsingError) -> Int {
    let distance = try unsigned(bytes, at: place, width: width)
    guard distance <= UInt64(Swift.max(place, 0)) else {
      throw .outOfBounds(offset: place, needed: width, count: bytes.count)
    }
    return place - Int(distance)
  }

  private static func unsigned(
    _ bytes: ByteView, at place: Int, width: Int
  ) throws(ParsingError) -> UInt64 {
    switch width {
    case 1: return UInt64(try bytes.load(UInt8.self, at: place))
    case 2: return UInt64(try bytes.load(UInt16.self, at: place))
    case 4: return UInt64(try bytes.load(UInt32.self, at: place))
    case 8: return try bytes.load(UInt64.self, at: place)
    default: throw .flexBufferWidth(offset: place, width: width)
    }
  }

  private static func signed(
    _ bytes: ByteView, at place: Int, width: Int
  ) throws(ParsingError) -> Int64 {
    let bits = try unsigned(bytes, at: place, width: width)
    let unused = 64 - 8 * width
    return Int64(bitPattern: bits << UInt64(unused)) >> Int64(unused)
  }

  private static func real(
    _ bytes: ByteView, at place: Int, width: Int
  ) throws(ParsingError) -> Double {
    let bits = try unsigned(bytes, at: place, width: width)
    switch width {
    case 4: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case 8: return Double(bitPattern: bits)
    default: throw .flexBufferWidth(offset: place, width: width)
    }
  }
}
