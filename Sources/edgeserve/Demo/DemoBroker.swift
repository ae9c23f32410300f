import Glibc
import MQTT

/// Debian's mosquitto on a loopback port, with a configuration of its own.
final class DemoBroker {
  let port: Int
  private let process: DemoProcess

  /// Starts a broker that keeps its files in `directory`, and waits until it listens.
  init(in directory: DemoDirectory) throws {
    let candidates = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"]
    guard let program = candidates.first(where: { unsafe access($0, X_OK) == 0 }) else {
      throw CommandFailure(
        .unreachable,
        "the demonstration needs the broker mosquitto; Packaging/run-demo installs it, or:\n"
          + "  sudo apt-get install --no-install-recommends mosquitto")
    }
    // A free port may be taken by another process before the broker binds it.
    for _ in 0..<5 {
      let port = Self.freePort()
      let process = try DemoProcess(
        [program, "-c", try Self.configuration(port, directory)],
        output: directory.file("mosquitto.log"))
      if try Self.listens(port, process) {
        self.port = port
        self.process = process
        return
      }
    }
    throw CommandFailure(.unreachable, "mosquitto does not listen on any port of 127.0.0.1")
  }

  func end() { process.end(graceMilliseconds: 2000) }

  /// Bytes that the broker has sent and received since its start, as it counts them each second.
  func bytesMoved() throws -> Int {
    let topics = ["$SYS/broker/bytes/sent", "$SYS/broker/bytes/received"]
    let client = try MQTTClient(
      MQTTConfiguration(host: "127.0.0.1", port: port, clientID: "demo-meter"))
    defer { client.disconnect() }
    try client.connect()
    var counts: [String: Int] = [:]
    let failure = CommandFailure(.unreachable, "the broker does not tell what it moved")
    return try DemoInterrupt.wait(seconds: 5, orThrow: failure) {
      for event in client.poll(timeoutMilliseconds: 20) {
        switch event {
        case .connected: try client.subscribe(topics)
        case .message(let message):
          counts[message.topic] = Int(String(decoding: message.payload, as: UTF8.self))
        default: break
        }
      }
      return counts.count == topics.count ? counts.values.reduce(0, +) : nil
    }
  }

  private static func configuration(_ port: Int, _ directory: DemoDirectory) throws -> String {
    let path = directory.file("mosquitto.conf")
    let lines = [
      "listener \(port) 127.0.0.1", "allow_anonymous true", "persistence false", "user root",
      "set_tcp_nodelay true", "max_queued_messages 2000", "sys_interval 1", "log_type error",
    ]
    try DemoFiles.write(path, lines.joined(separator: "\n") + "\n")
    return path
  }

  private static func listens(_ port: Int, _ process: DemoProcess) throws -> Bool {
    for _ in 0..<500 {
      if connects(port) { return true }
      guard process.isRunning else { return false }
      try DemoInterrupt.pause(milliseconds: 10)
    }
    return false
  }

  private static func connects(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port)
    // Sound: the address is a local of the type and size that the call is told.
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  private static func freePort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Sound: the address is a local of the type and size that both calls are told.
    unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = unsafe bind(descriptor, address, length)
        _ = unsafe getsockname(descriptor, address, &length)
      }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  private static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return address
  }
}
