import Glibc

/// A child process in a group of its own, its output in a file.
final class DemoProcess {
  private let identifier: pid_t
  private var hasEnded = false

  /// Starts the program; throws when it cannot be started.
  ///
  /// - Parameter output: where stdout and stderr go; appended to.
  init(_ arguments: [String], output: String) throws {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    unsafe posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
    unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // Its own group, so that ^C reaches the parent alone; no signal blocked as in the parent.
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    var vector = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { for unsafe argument in unsafe vector { unsafe free(argument) } }
    var child: pid_t = 0
    // Sound: the vector ends in nil, and it and what it points at outlive the call.
    let code = unsafe posix_spawn(&child, arguments[0], &actions, &attributes, &vector, environ)
    guard code == 0 else {
      throw CommandFailure(.failure, "\(arguments[0]) cannot be started (errno \(code))")
    }
    identifier = child
  }

  deinit { end(graceMilliseconds: 0) }

  /// Whether it still runs.
  var isRunning: Bool { !reap(WNOHANG) }

  /// Asks it to end, waits, and kills it when it has not.
  func end(graceMilliseconds: Int) {
    if hasEnded { return }
    if graceMilliseconds > 0 { kill(identifier, SIGTERM) }
    for _ in 0..<(graceMilliseconds / 10) {
      if reap(WNOHANG) { return }
      usleep(10_000)
    }
    kill(identifier, SIGKILL)
    _ = reap(0)
  }

  /// Waits until it has ended.
  func wait() { _ = reap(0) }

  private func reap(_ options: Int32) -> Bool {
    if hasEnded { return true }
    var status: Int32 = 0
    while true {
      let ended = unsafe waitpid(identifier, &status, options)
      if ended < 0 && errno == EINTR { continue }
      // An error means that there is no such child any more.
      hasEnded = ended != 0
      return hasEnded
    }
  }
}

extension DemoProcess {
  /// The path of the program that runs.
  static func ownProgram() throws -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    // Sound: the call writes at most the count that it is given, into bytes that are not empty.
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe readlink(
        "/proc/self/exe", bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    guard count > 0, count < buffer.count else {
      throw CommandFailure(.failure, "/proc/self/exe cannot be read")
    }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}
