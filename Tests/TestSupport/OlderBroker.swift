import Foundation
import Glibc
import Synchronization

/// Stands before a real broker as one that does not speak MQTT 5: it turns such connections down in
/// one of the ways that brokers have, and hands all others on.
package final class OlderBroker: Sendable {
  package enum Manner: Sendable {
    /// Answers as MQTT 3.1.1 says: unacceptable version.
    case answers
    /// Closes the connection.
    case closes
    /// Takes the connection, and ends it for a reason that MQTT 5 knows.
    case dismisses(UInt8)
  }

  package let port: Int
  private let listener: CInt
  private let manner: Manner
  private let target: Int
  private let count = Atomic<Int>(0)

  package init(before broker: Broker, _ manner: Manner) throws {
    port = Broker.freePort()
    target = broker.port
    self.manner = manner
    listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var one: CInt = 1
    // Sound: the option is a number of the size that the call is told.
    _ = unsafe setsockopt(
      listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
    guard unsafe Self.with(port, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 16) == 0 else {
      throw Broker.Failure.notReady(log: "the relay cannot listen on \(port)")
    }
    let relay = self
    Thread.detachNewThread { relay.accept() }
  }

  /// Connections in MQTT 5 that were turned down.
  package var refusals: Int { count.load(ordering: .acquiring) }

  /// Takes no more connections; those that stand end with either side.
  package func stop() { _ = shutdown(listener, CInt(SHUT_RDWR)) }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { break }
      Thread.detachNewThread { self.serve(client) }
    }
    _ = Glibc.close(listener)
  }

  private func serve(_ client: CInt) {
    defer { _ = Glibc.close(client) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    // A client sends the whole CONNECT at once; its version follows the name of the protocol.
    let first = unsafe recv(client, &bytes, bytes.count, 0)
    guard first > 8, let name = bytes[..<first].firstIndex(of: UInt8(ascii: "M")) else { return }
    guard bytes[name + 4] != 5 else {
      count.add(1, ordering: .acquiringAndReleasing)
      switch manner {
      case .answers: _ = Self.sendAll(client, [0x20, 2, 0, 1], 4)
      case .dismisses(let reason): _ = Self.sendAll(client, [0x20, 3, 0, 0, 0, 0xE0, 1, reason], 8)
      case .closes: break
      }
      return
    }
    let broker = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { _ = Glibc.close(broker) }
    guard unsafe Self.with(target, { unsafe connect(broker, $0, $1) }) == 0 else { return }
    guard unsafe send(broker, bytes, first, 0) == first else { return }
    var descriptors = [client, broker].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    while unsafe poll(&descriptors, 2, -1) > 0 {
      for (i, other) in [(0, broker), (1, client)] where descriptors[i].revents != 0 {
        let got = unsafe recv(descriptors[i].fd, &bytes, bytes.count, 0)
        guard got > 0, Self.sendAll(other, bytes, got) else { return }
      }
    }
  }

  private static func sendAll(_ descriptor: CInt, _ bytes: [UInt8], _ count: Int) -> Bool {
    var done = 0
    while done < count {
      // Sound: pointer and count are those of the rest of what is to be sent.
      let sent = unsafe bytes.withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress! + done, count - done, CInt(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return false }
      done += sent
    }
    return true
  }

  /// Hands a loopback address to a call.
  private static func with(
    _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
  ) -> CInt {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    // Sound: the address is a local of the type and size that the call is told.
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
