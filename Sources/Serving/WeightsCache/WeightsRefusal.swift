import Glibc
import ModelStorage

/// Why packed weights lie in anonymous memory and not in a file.
package enum WeightsRefusal: Error, Sendable, Equatable {
  /// Nobody asked for files.
  case off
  /// Too few bytes to be worth a file.
  case small
  /// The state directory cannot be used, or another agent uses it.
  case unavailable
  /// All files together would be larger than allowed.
  case diskMaximum
  /// More would be written within a day than allowed.
  case dailyWrites
  /// The storage is full.
  case noSpace
  /// The storage failed a call; 0 when there was none.
  case storage(errno: Int32)

  init(_ error: StorageError) {
    self =
      switch error {
      case .noSpace: .noSpace
      case .system(_, let errno): .storage(errno: errno)
      default: .storage(errno: EINVAL)
      }
  }

  /// The word that status has.
  package var code: String {
    switch self {
    case .off: "off"
    case .small: "small"
    case .unavailable: "unavailable"
    case .diskMaximum: "disk-maximum"
    case .dailyWrites: "daily-writes"
    case .noSpace: "no-space"
    case .storage: "storage"
    }
  }

  /// What is wrong, for people; nil when nothing is.
  package var problem: String? {
    switch self {
    case .off, .small, .unavailable: nil
    case .diskMaximum: "weights_cache.disk_maximum leaves no room for them"
    case .dailyWrites: "weights_cache.daily_writes_maximum was reached"
    case .noSpace: "there is no room on the disk"
    case .storage(let errno): "the storage failed (errno \(errno))"
    }
  }
}
