import Agent
import Glibc
import TestSupport
import Testing

/// Receives what a service tells its manager.
private struct NotifySocket {
  let path: String
  private let descriptor: Int32

  init(_ directory: TemporaryDirectory) {
    path = directory.path + "/notify"
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let status = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    precondition(status == 0)
  }

  /// One datagram that has come; empty when none has.
  func received() -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  func close() { _ = Glibc.close(descriptor) }
}

@Suite("Service manager")
struct ServiceManagerTests {
  @Test("is told in the words of sd_notify, one datagram for a call")
  func messages() throws {
    let directory = TemporaryDirectory()
    let socket = NotifySocket(directory)
    defer { socket.close() }
    let manager = try #require(ServiceManager { $0 == "NOTIFY_SOCKET" ? socket.path : nil })
    manager.notify(.ready, .status("ok: two\nlines"))
    #expect(socket.received() == "READY=1\nSTATUS=ok: two lines\n")
    manager.notify(.alive)
    #expect(socket.received() == "WATCHDOG=1\n")
    manager.notify(.reloading)
    let reloading = socket.received()
    #expect(reloading.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
    manager.notify(.stopping)
    #expect(socket.received() == "STOPPING=1\n")
    #expect(socket.received().isEmpty)
  }

  @Test("is not there without an address, and a manager that is gone does no harm")
  func absent() throws {
    #expect(ServiceManager { _ in nil } == nil)
    #expect(ServiceManager { $0 == "NOTIFY_SOCKET" ? "relative" : nil } == nil)
    let manager = try #require(ServiceManager { $0 == "NOTIFY_SOCKET" ? "/nowhere/at/all" : nil })
    manager.notify(.ready)
  }

  @Test(
    "has a watchdog when this process is meant",
    arguments: [
      ("30000000", nil, 30_000), ("30000000", "self", 30_000), ("30000000", "1", nil),
      ("0", nil, nil), ("x", nil, nil), (nil, nil, nil),
    ] as [(String?, String?, Int?)])
  func watchdog(microseconds: String?, process: String?, expected: Int?) throws {
    let manager = try #require(
      ServiceManager { name in
        switch name {
        case "NOTIFY_SOCKET": "@edgeserve-test"
        case "WATCHDOG_USEC": microseconds
        case "WATCHDOG_PID": process == "self" ? "\(getpid())" : process
        default: nil
        }
      })
    #expect(manager.watchdogMilliseconds == expected)
  }
}
