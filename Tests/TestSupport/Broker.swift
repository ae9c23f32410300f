import Glibc
import Synchronization

/// A real mosquitto on a loopback port, stopped at `deinit`.
///
/// A `let` may be released after its last use: a test says `defer { broker.kill() }` first.
package final class Broker: Sendable {
  /// Why a broker could not be had.
  package enum Failure: Error, Equatable {
    case notInstalled
    /// It ended, or did not listen within ten seconds; the text is its log.
    case notReady(log: String)
  }

  package let host = "127.0.0.1"
  package let port: Int
  private let directory = TemporaryDirectory("broker")
  private let process = Mutex<pid_t?>(nil)
  /// Of starts that have ended.
  private let formerSeconds = Mutex(0.0)

  /// Starts a broker on a free port, and waits until it listens.
  ///
  /// - Parameter extra: further lines of its configuration file, such as a password file.
  package init(extra: [String] = []) throws {
    var failure = Failure.notInstalled
    for _ in 0..<5 {
      let port = Self.freePort()
      directory.write("mosquitto.conf", Self.configuration(port, extra))
      do {
        let child = try Self.launch(port, directory.path)
        self.port = port
        process.withLock { $0 = child }
        return
      } catch {
        failure = error
        if failure == .notInstalled { break }
      }
    }
    port = 0
    throw failure
  }

  deinit { kill() }

  /// Ends the broker at once, as a power cut would; what it retained is lost.
  package func kill() { end(SIGKILL) }

  /// Ends the broker in order; clients see their connections closed.
  package func stop() { end(SIGTERM) }

  /// Starts it again on the same port, empty.
  package func restart() throws {
    kill()
    let child = try Self.launch(port, directory.path)
    process.withLock { $0 = child }
  }

  /// Freezes the broker: connections stand, nothing moves.
  package func freeze() { process.withLock { if let child = $0 { Glibc.kill(child, SIGSTOP) } } }

  /// Lets a frozen broker go on.
  package func thaw() { process.withLock { if let child = $0 { Glibc.kill(child, SIGCONT) } } }

  /// A loopback port on which nothing listens at the moment.
  package static func freePort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Sound: the address is a local of the type and size that both calls are told.
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe bind(descriptor, address, length) == 0
          ? unsafe getsockname(descriptor, address, &length) : -1
      }
    }
    precondition(code == 0)
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// What the broker has logged so far: every packet that came and went.
  package var log: String { Self.text("\(directory.path)/log") }

  /// Seconds of processor that the broker has taken, over all its starts.
  package var processorSeconds: Double { formerSeconds.withLock { $0 } + presentSeconds }

  private var presentSeconds: Double {
    let fields = kernelText("stat").split(separator: ")").last?.split(separator: " ") ?? []
    // The process's own times in user and kernel mode, in ticks of a hundredth of a second.
    guard fields.count > 12, let user = Double(fields[11]), let kernel = Double(fields[12]) else {
      return 0
    }
    return (user + kernel) / 100
  }

  /// The most bytes that the broker has had resident; 0 when it is not there.
  package var peakBytes: Int {
    let line = kernelText("status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) * 1024
  }

  private func kernelText(_ name: String) -> String {
    process.withLock { $0.map { Self.text("/proc/\($0)/\(name)") } ?? "" }
  }

  private func end(_ signal: Int32) {
    let seconds = presentSeconds
    formerSeconds.withLock { $0 += seconds }
    process.withLock { child in
      guard let ended = child else { return }
      Glibc.kill(ended, signal)
      Glibc.kill(ended, SIGCONT)
      var status: Int32 = 0
      unsafe waitpid(ended, &status, 0)
      child = nil
    }
  }

  private static func configuration(_ port: Int, _ extra: [String]) -> String {
    let anonymous = extra.contains { $0.hasPrefix("allow_anonymous") }
    let lines =
      [
        "listener \(port) 127.0.0.1", "set_tcp_nodelay true", "max_queued_messages 2000",
        "persistence false", "user root", "log_dest stderr", "log_type all",
      ] + (anonymous ? [] : ["allow_anonymous true"]) + extra
    return lines.joined(separator: "\n") + "\n"
  }

  private static func launch(_ port: Int, _ directory: String) throws(Failure) -> pid_t {
    let candidates = [
      "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto",
    ]
    guard let program = candidates.first(where: { unsafe access($0, X_OK) == 0 }) else {
      throw .notInstalled
    }
    let log = "\(directory)/log"
    let child = spawn([program, "-c", "\(directory)/mosquitto.conf"], output: log)
    guard let child else { throw .notInstalled }
    for _ in 0..<1000 {
      if listens(port) { return child }
      var status: Int32 = 0
      if unsafe waitpid(child, &status, WNOHANG) == child { throw .notReady(log: text(log)) }
      usleep(10_000)
    }
    Glibc.kill(child, SIGKILL)
    throw .notReady(log: text(log))
  }

  private static func listens(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: port)
    // Sound: the address is a local of the type and size that the call is told.
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  private static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return address
  }

  /// Starts a program with its output in a file; nil when it cannot be started.
  private static func spawn(_ arguments: [String], output: String) -> pid_t? {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [Int32(1), 2] {
      unsafe posix_spawn_file_actions_addopen(
        &actions, descriptor, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    var vector = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe vector.forEach { unsafe free($0) } }
    var child: pid_t = 0
    // Sound: the vector ends in nil and outlives the call.
    let code = unsafe posix_spawn(&child, arguments[0], &actions, nil, &vector, environ)
    return code == 0 ? child : nil
  }

  private static func text(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe read(descriptor, &bytes, bytes.count)
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += bytes.prefix(count)
    }
  }
}
