package import Serving
package import Tensors

/// The part of a region of memory that an input lies in.
package struct RegionPart: Sendable {
  package var region: String
  package var offset: Int
  package var byteCount: Int

  package init(region: String, offset: Int, byteCount: Int) {
    self.region = region
    self.offset = offset
    self.byteCount = byteCount
  }

  /// The input, its bytes where they are.
  ///
  /// - Parameter expected: the bytes that its shape takes.
  /// - Throws: `RequestError`.
  package func tensor(
    _ name: String, _ type: DataType, _ shape: Shape, _ expected: Int,
    _ regions: (String) -> TensorMemory?
  ) throws(RequestError) -> NamedTensor {
    guard let memory = regions(region) else { throw .unknownRegion(region, input: name) }
    guard byteCount == expected, type != .string else {
      throw .binarySize(input: name, expected: expected, actual: byteCount)
    }
    guard let part = memory.part(offset: offset, byteCount: byteCount) else {
      throw .regionBounds(
        input: name, offset: offset, byteCount: byteCount, region: memory.byteCount)
    }
    return NamedTensor(name: name, dataType: type, shape: shape, memory: part)
  }
}
