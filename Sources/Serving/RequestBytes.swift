import Synchronization
package import Tensors

/// The most bytes that a request for a version can take, as its inputs are declared.
///
/// Floats count with all the digits that a float64 can have, and all with the brackets of their
/// nesting; parameters and indentation are left to whoever bounds requests.
package struct RequestBytes: Sendable, Equatable {
  /// As JSON.
  package var text: Int
  /// As a message of Protocol Buffers.
  package var message: Int
  /// As tensors.
  package var tensors: Int
  /// Bytes of tensors for each byte of the request, rounded up: JSON may take two for an element,
  /// and binary tensors are copied once.
  package var tensorsPerByte: Int

  /// Bytes of strings in one request; they alone have no declared size.
  package static let stringBytesMaximum = 16 << 20

  /// - Parameter rowsMaximum: of one request.
  package init(_ inputs: [TensorSpecification], rowsMaximum: Int) {
    (text, message, tensors, tensorsPerByte) = (0, 0, 0, 1)
    for input in inputs {
      let (type, shape) = (input.type.dataType, input.type.shape)
      let row = shape.elementCount ?? Int.max
      let count = Self.product(row, rowsMaximum)
      let width = Self.width(of: type)
      let brackets = Self.product(4, Self.product(Self.listCount(shape), rowsMaximum))
      // A row may repeat the name, with quotes, separators and lengths.
      let names = Self.product(input.name.utf8.count + 16, rowsMaximum)
      text = Self.sum(text, Self.sum(Self.product(count, width.text), Self.sum(brackets, names)))
      message = Self.sum(message, Self.sum(Self.product(count, width.message), names))
      tensors = Self.sum(tensors, Self.product(count, (type.bitWidth + 7) / 8))
      tensorsPerByte = max(tensorsPerByte, type.bitWidth / 16)
      if case .string = type {
        // In base64 three bytes are four characters.
        text = Self.sum(text, Self.stringBytesMaximum / 3 * 4)
        message = Self.sum(message, Self.stringBytesMaximum)
        tensors = Self.sum(tensors, Self.stringBytesMaximum)
      }
    }
  }

  /// The larger of both in everything.
  package func union(_ other: RequestBytes) -> RequestBytes {
    var both = self
    both.text = max(text, other.text)
    both.message = max(message, other.message)
    both.tensors = max(tensors, other.tensors)
    both.tensorsPerByte = max(tensorsPerByte, other.tensorsPerByte)
    return both
  }

  /// Bytes of one element with its separator and a space, and as a field of its own.
  private static func width(of type: DataType) -> (text: Int, message: Int) {
    switch type {
    case .float16: (26, 4)
    case .float32: (26, 5)
    case .float64: (26, 9)
    case .complex64: (54, 10)
    // A negative number takes ten bytes as a varint, whatever its type.
    case .bool, .int4, .int8, .int16: (10, 11)
    case .uint8, .uint16: (10, 6)
    case .int32: (14, 11)
    case .uint32: (14, 6)
    case .int64, .uint64: (24, 11)
    // Quotes, or what names base64; a tag and a length.
    case .string: (16, 12)
    }
  }

  /// Lists of a row as JSON nests them.
  private static func listCount(_ shape: Shape) -> Int {
    var (lists, all) = (1, 0)
    for extent in shape.extents {
      all = sum(all, lists)
      lists = product(lists, max(extent, 0))
    }
    return all
  }

  private static func sum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? Int.max : sum
  }

  private static func product(_ left: Int, _ right: Int) -> Int {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? Int.max : product
  }
}

extension InferenceService {
  /// What bounds the requests for a model.
  package enum RequestBound: Sendable, Equatable {
    /// Nobody knows the model.
    case unknown
    /// The model is declared, and nothing is known yet of what it takes.
    case open
    case bytes(RequestBytes)
  }

  /// What bounds requests for `model` now: the largest of its versions that serve and of those that
  /// step in for it; while one replaces another, what served before.
  package func requestBound(of model: String) -> RequestBound {
    if let composite = registry.composite(model) {
      return composite.requestBytes.map { .bytes($0) } ?? .open
    }
    return registry.state.withLock { state in
      guard let entry = state.models[model] else { return .unknown }
      let models = [entry] + entry.declaration.fallback.models.compactMap { state.models[$0] }
      return Self.union(models.map(\.requestBytes))
    }
  }

  /// The same of whatever model is asked for.
  package func requestBound() -> RequestBound {
    let composites = registry.composites.withLock { $0.values.map(\.requestBytes) }
    let all = registry.state.withLock { $0.models.values.map(\.requestBytes) } + composites
    // One that is still to come may be the largest.
    return all.contains(nil) ? .open : Self.union(all)
  }

  /// The largest of `known`; open when nothing is.
  private static func union(_ known: [RequestBytes?]) -> RequestBound {
    var all: RequestBytes?
    for bytes in known {
      guard let bytes else { continue }
      all = all?.union(bytes) ?? bytes
    }
    guard let all else { return known.isEmpty ? .unknown : .open }
    return .bytes(all)
  }
}

extension ModelEntry {
  /// Of all versions that serve, or of those that served last; nil when none ever did.
  var requestBytes: RequestBytes? {
    var all: RequestBytes?
    for loaded in serving.values { all = all?.union(loaded.requestBytes) ?? loaded.requestBytes }
    return all ?? lastRequestBytes
  }
}
