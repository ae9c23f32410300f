import CCrypto

/// `count` bytes of the library's cryptographic generator.
package func randomBytes(_ count: Int) throws(CryptographyError) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  let status = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
    unsafe RAND_bytes(buffer.baseAddress, Int32(buffer.count))
  }
  guard status == 1 else { throw .libraryFailure(operation: .randomBytes) }
  return bytes
}
