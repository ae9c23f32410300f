import CZstd

/// Decodes blocks one after another with one reused context; for one thread at a time.
@safe
package final class BlockDecoder {
  private let context: OpaquePointer

  package init() {
    guard let context = unsafe ZSTD_createDCtx() else { fatalError("no memory to decode blocks") }
    unsafe self.context = context
  }

  deinit { unsafe ZSTD_freeDCtx(context) }

  /// The `rawByteCount` raw bytes of an encoded block.
  ///
  /// A frame must state exactly that size before anything is decoded, and decoding writes nowhere
  /// else, so memory is bounded by a few blocks.
  ///
  /// - Parameter base: `rawByteCount` bytes, for the methods that need them.
  package func decode(_ encoded: [UInt8], rawByteCount: Int, base: [UInt8]? = nil)
    throws(ObjectError) -> [UInt8]
  {
    precondition(base.map { $0.count == rawByteCount } ?? true)
    let limit = BlockCodec.encodedByteCountMaximum(rawByteCount)
    guard let first = encoded.first, encoded.count <= limit else {
      throw .encodedByteCount(limit: limit, actual: encoded.count)
    }
    guard let method = BlockMethod(rawValue: first) else { throw .unknownMethod(first) }
    guard !method.needsBase || base != nil else { throw .missingBase(method) }
    let base = base ?? []
    switch method {
    case .raw:
      guard encoded.count - 1 == rawByteCount else {
        throw .rawByteCount(expected: rawByteCount, actual: UInt64(encoded.count - 1))
      }
      return Array(encoded.dropFirst())
    case .copy:
      guard encoded.count == 1 else { throw .malformedFrame }
      return base
    case .zstd: return try frame(encoded, rawByteCount)
    case .planes: return BlockTransform.joined(try frame(encoded, rawByteCount))
    case .difference: return BlockTransform.sum(try frame(encoded, rawByteCount), on: base)
    case .floatDistances: return try FloatDistances.decode(encoded, from: 1, base: base)
    case .prefix: return try frame(encoded, rawByteCount, prefix: base)
    case .byteDistances: return try ByteDistances.decode(encoded, from: 1, base: base)
    }
  }

  /// The content of the frame after the method byte.
  private func frame(_ encoded: [UInt8], _ rawByteCount: Int, prefix: [UInt8] = [])
    throws(ObjectError) -> [UInt8]
  {
    // All calls read only the bytes after the method byte.
    let (stated, frameByteCount) = unsafe encoded.withUnsafeBytes { input in
      let start = unsafe input.baseAddress! + 1
      return unsafe (
        ZSTD_getFrameContentSize(start, input.count - 1),
        ZSTD_findFrameCompressedSize(start, input.count - 1)
      )
    }
    guard stated == UInt64(rawByteCount) else {
      throw .rawByteCount(expected: rawByteCount, actual: stated)
    }
    guard frameByteCount == encoded.count - 1 else { throw .malformedFrame }
    var raw = [UInt8](repeating: 0, count: rawByteCount)
    let count = unsafe raw.withUnsafeMutableBytes { output in
      unsafe encoded.withUnsafeBytes { input in
        // The prefix is referred to until the frame is decoded, which is before its bytes end.
        unsafe prefix.withUnsafeBytes { prefix in
          if prefix.count > 0 {
            unsafe ZSTD_DCtx_refPrefix(context, prefix.baseAddress, prefix.count)
          }
          return unsafe ZSTD_decompressDCtx(
            context, output.baseAddress, output.count, input.baseAddress! + 1, input.count - 1)
        }
      }
    }
    guard count == rawByteCount else {
      // A prefix that a broken frame left behind must not serve the next one.
      unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters)
      throw .malformedFrame
    }
    return raw
  }
}
