import CCrypto

/// An Ed25519 key inside libcrypto; every pointer passed lives through its call.
@safe
final class LibraryKey {
  private let key: OpaquePointer

  /// The private key of `seed`, which has 32 bytes.
  init?(seed: [UInt8]) {
    guard
      let key = unsafe seed.withUnsafeBufferPointer({
        unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, $0.baseAddress, $0.count)
      })
    else { return nil }
    unsafe self.key = key
  }

  /// The public key of 32 bytes.
  init?(publicKey: [UInt8]) {
    guard
      let key = unsafe publicKey.withUnsafeBufferPointer({
        unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, $0.baseAddress, $0.count)
      })
    else { return nil }
    unsafe self.key = key
  }

  deinit { unsafe EVP_PKEY_free(key) }

  /// The public half.
  func publicBytes() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: PublicKey.byteCount)
    var count = bytes.count
    let status = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe EVP_PKEY_get_raw_public_key(key, $0.baseAddress, &count)
    }
    return status == 1 && count == bytes.count ? bytes : nil
  }

  /// The 64-byte signature of `message`; nil when this is a public key.
  func sign(_ message: [UInt8]) -> [UInt8]? {
    guard let context = unsafe EVP_MD_CTX_new() else { return nil }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else { return nil }
    var signature = [UInt8](repeating: 0, count: PublicKey.signatureByteCount)
    var count = signature.count
    let status = unsafe signature.withUnsafeMutableBufferPointer { output in
      unsafe message.withUnsafeBufferPointer { input in
        unsafe EVP_DigestSign(context, output.baseAddress, &count, input.baseAddress, input.count)
      }
    }
    return status == 1 && count == signature.count ? signature : nil
  }

  /// Whether `signature` is this key's over `message`.
  func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let context = unsafe EVP_MD_CTX_new() else { return false }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
    let status = unsafe signature.withUnsafeBufferPointer { signature in
      unsafe message.withUnsafeBufferPointer { input in
        unsafe EVP_DigestVerify(
          context, signature.baseAddress, signature.count, input.baseAddress, input.count)
      }
    }
    // A refused signature leaves an entry on the thread's error queue.
    if status != 1 { ERR_clear_error() }
    return status == 1
  }
}
