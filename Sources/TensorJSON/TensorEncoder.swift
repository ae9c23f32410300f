package import Tensors

/// How the elements of a tensor are laid out in JSON.
package enum TensorLayout: Sendable {
  /// One list, row-major.
  case flat
  /// A list for each axis; a scalar stands alone.
  case nested
}

extension JSONWriter {
  /// Writes the elements of a tensor.
  ///
  /// - Parameters:
  ///   - bytes: Packed, little-endian, as many as the concrete `shape` has elements.
  /// - Throws: `unsupportedType` for types that JSON has no form for.
  package mutating func tensor(
    _ dataType: DataType, _ shape: Shape, _ bytes: [UInt8], layout: TensorLayout
  ) throws(JSONError) {
    try tensor(
      dataType, shape.extents[...], bytes[...], layout: layout)
  }

  /// Writes the part of a tensor that `extents`, its innermost axes, span.
  package mutating func tensor(
    _ dataType: DataType, _ extents: ArraySlice<Int>, _ bytes: ArraySlice<UInt8>,
    layout: TensorLayout
  ) throws(JSONError) {
    if dataType == .string { return try strings(extents, bytes, layout: layout) }
    guard let outer = extents.first else {
      try elements(dataType, bytes)
      return
    }
    byte(UInt8(ascii: "["))
    if layout == .flat || extents.count == 1 {
      try elements(dataType, bytes)
    } else if outer > 0 {
      let stride = bytes.count / outer
      for index in 0..<outer {
        if index > 0 { byte(UInt8(ascii: ",")) }
        let start = bytes.startIndex + index * stride
        try tensor(
          dataType, extents.dropFirst(), bytes[start..<(start + stride)], layout: layout)
      }
    }
    byte(UInt8(ascii: "]"))
  }

  private mutating func strings(
    _ extents: ArraySlice<Int>, _ bytes: ArraySlice<UInt8>, layout: TensorLayout
  ) throws(JSONError) {
    let count = extents.reduce(1, *)
    guard let ranges = StringElements.ranges(bytes, count: count) else {
      throw .unsupportedType(.string)
    }
    try strings(
      layout == .flat ? extents.isEmpty ? [] : [count] : extents, ranges[...], bytes)
  }

  private mutating func strings(
    _ extents: ArraySlice<Int>, _ ranges: ArraySlice<Range<Int>>, _ bytes: ArraySlice<UInt8>
  ) throws(JSONError) {
    guard let outer = extents.first else {
      // What is no text has no form of its own in JSON.
      guard let range = ranges.first,
        let text = String(validating: bytes[range], as: UTF8.self)
      else { throw .unsupportedType(.string) }
      return string(text)
    }
    byte(UInt8(ascii: "["))
    let stride = outer > 0 ? ranges.count / outer : 0
    for index in 0..<outer {
      if index > 0 { byte(UInt8(ascii: ",")) }
      let start = ranges.startIndex + index * stride
      try strings(extents.dropFirst(), ranges[start..<start + stride], bytes)
    }
    byte(UInt8(ascii: "]"))
  }

  private mutating func elements(
    _ dataType: DataType, _ bytes: ArraySlice<UInt8>
  ) throws(JSONError) {
    switch dataType {
    case .bool: each(bytes, UInt8.self) { $0.bool($1 != 0) }
    case .int8: each(bytes, Int8.self) { $0.integer(Int64($1)) }
    case .uint8: each(bytes, UInt8.self) { $0.integer(UInt64($1)) }
    case .int16: each(bytes, Int16.self) { $0.integer(Int64($1)) }
    case .uint16: each(bytes, UInt16.self) { $0.integer(UInt64($1)) }
    case .int32: each(bytes, Int32.self) { $0.integer(Int64($1)) }
    case .uint32: each(bytes, UInt32.self) { $0.integer(UInt64($1)) }
    case .int64: each(bytes, Int64.self) { $0.integer($1) }
    case .uint64: each(bytes, UInt64.self) { $0.integer($1) }
    case .float32: each(bytes, UInt32.self) { $0.float(Float(bitPattern: $1)) }
    case .float64: each(bytes, UInt64.self) { $0.double(Double(bitPattern: $1)) }
    case .float16, .int4, .complex64, .string: throw .unsupportedType(dataType)
    }
  }

  /// Writes every element with commas between.
  @inline(__always)
  private mutating func each<Element: FixedWidthInteger>(
    _ bytes: ArraySlice<UInt8>, _ type: Element.Type,
    _ write: (inout JSONWriter, Element) -> Void
  ) {
    let width = MemoryLayout<Element>.size
    var offset = bytes.startIndex
    while offset + width <= bytes.endIndex {
      if offset != bytes.startIndex { byte(UInt8(ascii: ",")) }
      var element: Element = 0
      for index in stride(from: width - 1, through: 0, by: -1) {
        element = (width == 1 ? 0 : element << 8) | Element(truncatingIfNeeded: bytes[offset + index])
      }
      write(&self, element)
      offset += width
    }
  }
}
