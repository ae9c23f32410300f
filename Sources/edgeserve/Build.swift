import CBuild
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
