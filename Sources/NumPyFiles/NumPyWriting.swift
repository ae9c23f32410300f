import ByteParsing
import Glibc
import Tensors

extension NumPyFile {
  /// The file's header: version 1, padded so that the elements begin at a multiple of 64.
  package func header() throws(NumPyError) -> [UInt8] {
    guard let description = dataType.numPyDescription else { throw .unwritable("\(dataType)") }
    let extents =
      shape.rank == 1
      ? "\(shape[0])," : shape.extents.map(String.init).joined(separator: ", ")
    var text = "{'descr': '\(description)', 'fortran_order': False, 'shape': (\(extents)), }"
    let fixed = NumPyFile.magic.count + 4
    let padding = 63 - (fixed + text.utf8.count) % 64
    text += String(repeating: " ", count: padding) + "\n"
    let length = UInt16(text.utf8.count)
    return NumPyFile.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
  }

  /// Writes the array to `path`, over what was there.
  package func write(to path: String) throws(NumPyError) {
    let header = try header()
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .unwritten(errno: errno) }
    defer { close(descriptor) }
    for part in [ByteView(header), elements] {
      let failure = unsafe part.withUnsafeBytes { unsafe writeAll($0, to: descriptor) }
      if let failure { throw .unwritten(errno: failure) }
    }
  }
}

/// Writes all of `bytes`; the `errno` of the call that failed, if one did.
private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
  var written = 0
  while written < bytes.count {
    // Sound: the pointer and the count stay within `bytes`.
    let count = unsafe write(descriptor, bytes.baseAddress! + written, bytes.count - written)
    if count > 0 { written += count } else if errno != EINTR { return errno }
  }
  return nil
}
