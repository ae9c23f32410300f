import Glibc

/// Starts detached threads.
package enum Thread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// - Parameters:
  ///   - name: at most 15 bytes, as the kernel keeps them.
  ///   - niceness: above 0 for a thread that gives way to others.
  /// - Precondition: the system has room for one more thread.
  package static func start(
    name: String, stackBytes: Int, niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void
  ) {
    let prepared: @Sendable () -> Void = {
      // On Linux a `who` of 0 means the calling thread alone; one that may not be lowered runs as it is.
      if niceness != 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
      rename(name)
      body()
    }
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, stackBytes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    // The retain is balanced by `takeRetainedValue` at the start of the thread.
    let argument = unsafe Unmanaged.passRetained(Body(prepared)).toOpaque()
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
    var name = name
    name.withUTF8 { bytes in _ = unsafe write(file, bytes.baseAddress, bytes.count) }
    close(file)
  }
}
