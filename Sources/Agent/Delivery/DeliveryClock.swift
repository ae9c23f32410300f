import Glibc
import ModelDelivery

/// The machine's clocks, as delivery reads them.
enum DeliveryClock {
  static func now() -> DeliveryTime {
    DeliveryTime(
      // Goes on while the device sleeps, unlike the monotonic clock.
      milliseconds: read(CLOCK_BOOTTIME).milliseconds, wallSeconds: read(CLOCK_REALTIME).seconds)
  }

  private static func read(_ clock: clockid_t) -> (seconds: Int64, milliseconds: Int64) {
    var time = timespec()
    // Sound: the pointer is to a local variable of the type that the call fills.
    unsafe clock_gettime(clock, &time)
    let seconds = Int64(time.tv_sec)
    return (seconds, seconds * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}
