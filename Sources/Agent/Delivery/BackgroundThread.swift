import Glibc

/// Starts detached threads that yield to all others.
enum BackgroundThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// - Precondition: the system has room for one more thread.
  static func start(name: String, niceness: Int32, _ body: @escaping @Sendable () -> Void) {
    let named: @Sendable () -> Void = {
      rename(name)
      // On Linux the calling thread's own; a thread that may not be lowered runs as it is.
      setpriority(Int32(PRIO_PROCESS.rawValue), 0, niceness)
      body()
    }
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, AgentLimits.deliveryStackBytes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    // The retain is balanced by `takeRetainedValue` at the start of the thread.
    let argument = unsafe Unmanaged.passRetained(Body(named)).toOpaque()
    let status = unsafe pthread_create(
      &thread, &attributes,
      { argument in
        let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
        body.run()
        return nil
      }, argument)
    precondition(status == 0)
  }

  /// Names the calling thread as `ps` and `top` show it.
  private static func rename(_ name: String) {
    let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    let bytes = Array(name.utf8)
    // Sound: the pointer and count are of the same array.
    _ = unsafe write(file, bytes, bytes.count)
  }

  static func sleep(milliseconds: Int) { usleep(UInt32(milliseconds) * 1000) }
}
