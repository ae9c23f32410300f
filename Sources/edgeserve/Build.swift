import CBuild
import Glibc
import KernelDispatch
import KernelInterface

/// What this program is.
enum Build {
  static let version = "0.1.0"
  /// The commit that was built; `unknown` when the build was not told.
  static var commit: String {
    // Sound: a string literal of C, which lives as long as the program.
    unsafe String(cString: cb_commit())
  }

  /// Tells this program from every other, also from one that was built of the same commit: what it packs
  /// is for itself alone.
  static var identity: String {
    var status = stat()
    // Sound: the pointer is to a local variable of the type that the call fills.
    let isKnown = unsafe stat("/proc/self/exe", &status) == 0
    let file = isKnown ? "\(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)" : ""
    return "\(version) \(commit) \(file)"
  }

  /// Version, commit, compiler, architecture and kernel tables, for `--version`.
  static var description: String {
    "edgeserve \(version) (commit \(commit), Swift \(swiftVersion), \(architecture), kernels "
      + KernelTable.builtInNames.joined(separator: " ") + ")"
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #else
      "aarch64"
    #endif
  }

  private static var swiftVersion: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
