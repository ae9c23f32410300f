import Foundation
import Glibc
import Synchronization

/// A small web server on a loopback port, which gives files and misbehaves with some.
package final class FileServer: Sendable {
  package enum Manner: Sendable {
    case whole([UInt8])
    /// Half of it, then nothing more.
    case stalled([UInt8])
    /// Another status than 200, with a page.
    case status(Int)
    /// To another path of this server.
    case redirect(String)
    /// Says that it has so many bytes, and sends as many.
    case endless(Int)
  }

  package let port: Int
  private let listener: CInt
  private let files: Mutex<[String: Manner]>
  private let asked = Mutex<[String]>([])
  private let connections = Atomic<Int>(0)

  package init(_ files: [String: Manner]) throws {
    port = Broker.freePort()
    self.files = Mutex(files)
    listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var one: CInt = 1
    // Sound: the option is a number of the size that the call is told.
    _ = unsafe setsockopt(
      listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    // Sound: the address is a local of the type and size that the call is told.
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0, listen(listener, 16) == 0 else {
      throw Broker.Failure.notReady(log: "the file server cannot listen on \(port)")
    }
    let server = self
    Foundation.Thread.detachNewThread { server.accept() }
  }

  /// Paths that were asked for, in order.
  package var requests: [String] { asked.withLock { $0 } }
  package var connectionCount: Int { connections.load(ordering: .acquiring) }

  package func set(_ path: String, _ manner: Manner?) { files.withLock { $0[path] = manner } }

  /// Takes no more connections.
  package func stop() { _ = shutdown(listener, CInt(SHUT_RDWR)) }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { break }
      connections.add(1, ordering: .acquiringAndReleasing)
      Foundation.Thread.detachNewThread { self.serve(client) }
    }
    _ = Glibc.close(listener)
  }

  private func serve(_ client: CInt) {
    defer { _ = Glibc.close(client) }
    while let path = Self.request(client) {
      asked.withLock { $0.append(path) }
      let manner = files.withLock { $0[path] } ?? .status(404)
      let isGoingOn =
        switch manner {
        case .whole(let bytes): answer(client, 200, bytes)
        case .status(let status): answer(client, status, Array("no".utf8))
        case .redirect(let target): answer(client, 302, [], "Location: \(target)\r\n")
        case .endless(let count): answer(client, 200, [UInt8](repeating: 0, count: count))
        case .stalled(let bytes): stall(client, bytes)
        }
      guard isGoingOn else { return }
    }
  }

  private func answer(
    _ client: CInt, _ status: Int, _ body: [UInt8], _ fields: String = ""
  ) -> Bool {
    let head = "HTTP/1.1 \(status) Word\r\nContent-Length: \(body.count)\r\n\(fields)\r\n"
    return Self.send(client, Array(head.utf8) + body)
  }

  private func stall(_ client: CInt, _ bytes: [UInt8]) -> Bool {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n"
    _ = Self.send(client, Array(head.utf8) + bytes.prefix(bytes.count / 2))
    // Until the client leaves.
    var byte: UInt8 = 0
    while unsafe recv(client, &byte, 1, 0) > 0 {}
    return false
  }

  /// The path of the next request; nil when there is none.
  private static func request(_ client: CInt) -> String? {
    var head: [UInt8] = []
    var byte: UInt8 = 0
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
      guard head.count < 8192, unsafe recv(client, &byte, 1, 0) == 1 else { return nil }
      head.append(byte)
    }
    let parts = String(decoding: head, as: UTF8.self).split(separator: " ")
    return parts.count > 1 ? String(parts[1]) : nil
  }

  private static func send(_ client: CInt, _ bytes: [UInt8]) -> Bool {
    var done = 0
    while done < bytes.count {
      // Sound: pointer and count are those of the rest of what is to be sent.
      let sent = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          client, $0.baseAddress! + done, bytes.count - done, CInt(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return false }
      done += sent
    }
    return true
  }
}
