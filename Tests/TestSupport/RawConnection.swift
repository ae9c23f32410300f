import Glibc

/// A connection to a Unix socket that sends what no client would.
package final class RawConnection {
  private let descriptor: CInt

  /// Nil when nobody answers at `path`.
  package init?(_ path: String) {
    descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // Sound: the copy is bounded by the field, whose last byte stays zero.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
      unsafe field.copyBytes(from: path.utf8.prefix(field.count - 1))
    }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { return nil }
    setTimeout(seconds: 10)
  }

  deinit { _ = close(descriptor) }

  package func setTimeout(seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    let length = socklen_t(MemoryLayout<timeval>.size)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, length)
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, length)
  }

  package func send(_ text: String) { send(Array(text.utf8)) }

  /// Sends all bytes, or as many as the peer takes.
  package func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      // Sound: pointer and count are those of the rest of `bytes`.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          descriptor, $0.baseAddress! + sent, $0.count - sent, CInt(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  /// Says that no more will be sent.
  package func endInput() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

  /// What arrives until `marker` has come `count` times, or the end.
  package func receive(until marker: String, count: Int = 1) -> String {
    var text = ""
    while text.occurrences(of: marker) < count {
      guard let piece = receiveSome(), !piece.isEmpty else { break }
      text += piece
    }
    return text
  }

  /// What arrives until the peer closes; nil when it does not in time.
  package func receiveAll() -> String? {
    var text = ""
    while let piece = receiveSome() {
      if piece.isEmpty { return text }
      text += piece
    }
    return nil
  }

  /// What has arrived, empty at the end; nil after the timeout.
  private func receiveSome() -> String? {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var count = 0
    repeat {
      // Sound: the count is that of `buffer`, which outlives the call.
      count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    } while count < 0 && errno == EINTR
    if count < 0 && errno == ECONNRESET { return "" }
    return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}

extension String {
  /// How often `part` occurs.
  package func occurrences(of part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: part) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
