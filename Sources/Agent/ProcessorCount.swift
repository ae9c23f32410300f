import Glibc

/// How many processors this process may use.
package enum ProcessorCount {
  static var online: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// Compute threads when none are configured.
  package static var threadsDefault: Int { min(online, AgentLimits.threadsDefaultMaximum) }
}
