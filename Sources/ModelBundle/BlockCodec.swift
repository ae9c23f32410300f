import CZstd

/// How a block is encoded: the first byte of every encoded block.
package enum BlockMethod: UInt8, Sendable {
  /// The raw bytes follow.
  case raw = 0
  /// One zstd frame with its content size follows.
  case zstd = 1
}

/// The bounds of encoded blocks.
package enum BlockCodec {
  /// Bytes of the largest encoded block of `rawByteCount` bytes: stored raw after the method byte.
  package static func encodedByteCountMaximum(_ rawByteCount: Int) -> Int { rawByteCount + 1 }
  /// The zstd level of published blocks.
  package static let defaultLevel = 15
}

/// Encodes blocks one after another with one reused context; for one thread at a time.
@safe
package final class BlockEncoder {
  private let context: OpaquePointer

  /// An encoder at a zstd level of 1 to 22.
  package init(level: Int = BlockCodec.defaultLevel) {
    guard let context = unsafe ZSTD_createCCtx() else { fatalError("no memory to encode blocks") }
    unsafe self.context = context
    unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
  }

  deinit { unsafe ZSTD_freeCCtx(context) }

  /// The encoded block of `raw`: the smaller of a zstd frame and the bytes themselves.
  package func encode(_ raw: [UInt8]) -> [UInt8] {
    var encoded = [UInt8](repeating: BlockMethod.zstd.rawValue, count: 1 + ZSTD_compressBound(raw.count))
    let count = unsafe encoded.withUnsafeMutableBytes { output in
      unsafe raw.withUnsafeBytes { input in
        // The output after the method byte is as large as the library asks for.
        unsafe ZSTD_compress2(
          context, output.baseAddress! + 1, output.count - 1, input.baseAddress, input.count)
      }
    }
    guard ZSTD_isError(count) == 0, count < raw.count else {
      return [BlockMethod.raw.rawValue] + raw
    }
    encoded.removeSubrange((1 + count)...)
    return encoded
  }
}

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
  /// The frame must state exactly that size before anything is decoded, and decoding writes nowhere
  /// else, so memory is bounded by the caller's count.
  package func decode(_ encoded: [UInt8], rawByteCount: Int) throws(ObjectError) -> [UInt8] {
    let limit = BlockCodec.encodedByteCountMaximum(rawByteCount)
    guard let first = encoded.first, encoded.count <= limit else {
      throw .encodedByteCount(limit: limit, actual: encoded.count)
    }
    switch BlockMethod(rawValue: first) {
    case .raw:
      guard encoded.count - 1 == rawByteCount else {
        throw .rawByteCount(expected: rawByteCount, actual: UInt64(encoded.count - 1))
      }
      return Array(encoded.dropFirst())
    case .zstd: return try decodeFrame(encoded, rawByteCount)
    case nil: throw .unknownMethod(first)
    }
  }

  private func decodeFrame(_ encoded: [UInt8], _ rawByteCount: Int) throws(ObjectError) -> [UInt8] {
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
        unsafe ZSTD_decompressDCtx(
          context, output.baseAddress, output.count, input.baseAddress! + 1, input.count - 1)
      }
    }
    guard count == rawByteCount else { throw .malformedFrame }
    return raw
  }
}
