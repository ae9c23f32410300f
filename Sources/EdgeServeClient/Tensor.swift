internal import CEdgeServeClient

/// The type of a tensor's elements, by its name in the Open Inference Protocol.
public enum DataType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "UINT8"
  case uint16 = "UINT16"
  case uint32 = "UINT32"
  case uint64 = "UINT64"
  case int8 = "INT8"
  case int16 = "INT16"
  case int32 = "INT32"
  case int64 = "INT64"
  case float16 = "FP16"
  case float32 = "FP32"
  case float64 = "FP64"
  /// Strings, each behind its length as four bytes.
  case bytes = "BYTES"

  var code: edgeserve_datatype {
    switch self {
    case .bool: EDGESERVE_BOOL
    case .uint8: EDGESERVE_UINT8
    case .uint16: EDGESERVE_UINT16
    case .uint32: EDGESERVE_UINT32
    case .uint64: EDGESERVE_UINT64
    case .int8: EDGESERVE_INT8
    case .int16: EDGESERVE_INT16
    case .int32: EDGESERVE_INT32
    case .int64: EDGESERVE_INT64
    case .float16: EDGESERVE_FP16
    case .float32: EDGESERVE_FP32
    case .float64: EDGESERVE_FP64
    case .bytes: EDGESERVE_BYTES
    }
  }
}

/// A number that tensors are made of.
public protocol TensorElement: BitwiseCopyable, Sendable {
  static var dataType: DataType { get }
}

extension UInt8: TensorElement { public static var dataType: DataType { .uint8 } }
extension UInt16: TensorElement { public static var dataType: DataType { .uint16 } }
extension UInt32: TensorElement { public static var dataType: DataType { .uint32 } }
extension UInt64: TensorElement { public static var dataType: DataType { .uint64 } }
extension Int8: TensorElement { public static var dataType: DataType { .int8 } }
extension Int16: TensorElement { public static var dataType: DataType { .int16 } }
extension Int32: TensorElement { public static var dataType: DataType { .int32 } }
extension Int64: TensorElement { public static var dataType: DataType { .int64 } }
extension Float: TensorElement { public static var dataType: DataType { .float32 } }
extension Double: TensorElement { public static var dataType: DataType { .float64 } }

/// A named tensor of a request or an answer.
public struct Tensor: Sendable, Equatable {
  public var name: String
  public var dataType: DataType
  /// The extents; none for a scalar.
  public var shape: [Int]
  /// The elements: little-endian, row-major, without padding.
  public var bytes: [UInt8]

  public init(_ name: String, _ dataType: DataType, shape: [Int], bytes: [UInt8]) {
    self.name = name
    self.dataType = dataType
    self.shape = shape
    self.bytes = bytes
  }

  /// A tensor of numbers, as many as the shape holds.
  public init<Element: TensorElement>(_ name: String, shape: [Int], _ elements: [Element]) {
    // Sound: the bytes of numbers are initialised, and are copied within the call.
    let bytes = unsafe elements.withUnsafeBytes { unsafe [UInt8]($0) }
    self.init(name, Element.dataType, shape: shape, bytes: bytes)
  }

  /// The elements as numbers.
  ///
  /// - Throws: `EdgeServeError` with `invalidArgument` when they are of another type.
  public func elements<Element: TensorElement>(
    as type: Element.Type = Element.self
  ) throws(EdgeServeError) -> [Element] {
    let size = MemoryLayout<Element>.stride
    guard dataType == Element.dataType, bytes.count % size == 0 else {
      throw EdgeServeError(
        .invalidArgument,
        "tensor \(name) is of \(dataType.rawValue), not of \(Element.dataType.rawValue)")
    }
    let count = bytes.count / size
    return unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      // Sound: `count` elements are `bytes.count` bytes, and any bytes make a number.
      unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      initialized = count
    }
  }
}

/// What a model says of one of its inputs or outputs.
public struct TensorDescription: Sendable, Equatable {
  public var name: String
  public var dataType: DataType
  /// The extents; −1 for any.
  public var shape: [Int]
}
