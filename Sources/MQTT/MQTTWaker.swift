import CMosquitto
import Glibc

/// Ends another thread's `MQTTClient.poll` early; may be used from any thread.
package final class MQTTWaker: Sendable {
  let descriptor: Int32

  init() throws(MQTTError) {
    descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
    guard descriptor >= 0 else { throw .system(errno) }
  }

  deinit { close(descriptor) }

  /// Makes the current or next poll return with `MQTTEvent.woken`.
  package func wake() {
    // A counter at its maximum refuses the write, and is readable anyway.
    eventfd_write(descriptor, 1)
  }

  /// Takes back all wake-ups; true when there were some.
  func drain() -> Bool {
    var count: eventfd_t = 0
    // Sound: the pointer is to a local variable of the type that the call fills.
    return unsafe eventfd_read(descriptor, &count) == 0
  }
}
