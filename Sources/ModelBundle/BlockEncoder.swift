import CZstd

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

  /// The encoded block of `raw`: the smallest that a method makes of it.
  ///
  /// - Parameter base: as many bytes as `raw`; nil when the block must be decoded without any.
  package func encode(_ raw: [UInt8], base: [UInt8]? = nil) -> [UInt8] {
    precondition(base.map { $0.count == raw.count } ?? true)
    if raw == base { return [BlockMethod.copy.rawValue] }
    var best = [BlockMethod.raw.rawValue] + raw
    func consider(_ method: BlockMethod, coded: [UInt8]) {
      if coded.count + 1 < best.count { best = [method.rawValue] + coded }
    }
    func consider(_ method: BlockMethod, _ bytes: [UInt8], prefix: [UInt8] = []) {
      consider(method, coded: frame(bytes, prefix: prefix))
    }
    consider(.zstd, raw)
    consider(.planes, BlockTransform.planes(raw))
    if let base {
      consider(.difference, BlockTransform.difference(raw, from: base))
      consider(.prefix, raw, prefix: base)
      consider(.byteDistances, coded: ByteDistances.encode(raw, from: base))
      consider(.floatDistances, coded: FloatDistances.encode(raw, from: base))
    }
    return best
  }

  /// One zstd frame of `bytes`.
  private func frame(_ bytes: [UInt8], prefix: [UInt8]) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let count = unsafe frame.withUnsafeMutableBytes { output in
      unsafe bytes.withUnsafeBytes { input in
        // The prefix is referred to until the frame is made, which is before its bytes end; the
        // output is as large as the library asks for.
        unsafe prefix.withUnsafeBytes { prefix in
          if prefix.count > 0 {
            unsafe ZSTD_CCtx_refPrefix(context, prefix.baseAddress, prefix.count)
          }
          return unsafe ZSTD_compress2(
            context, output.baseAddress, output.count, input.baseAddress, input.count)
        }
      }
    }
    precondition(ZSTD_isError(count) == 0, "a frame fits its bound")
    frame.removeSubrange(count...)
    return frame
  }
}
