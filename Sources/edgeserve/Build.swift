import KernelDispatch
import KernelInterface

/// What this program is.
enum Build {
  static let version = "0.1.0"

  /// Version, compiler, architecture and kernel tables, for `--version`.
  static var description: String {
    "edgeserve \(version) (Swift \(swiftVersion), \(architecture), kernels "
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
