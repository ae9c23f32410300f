import Glibc

/// The groups of this system.
enum GroupDatabase {
  /// Bytes that the system may need for one group's members.
  private static let entryBytesMaximum = 64 * 1024

  /// The number of the group that is called `name`, or that `name` writes out.
  static func number(of name: String) throws(AgentError) -> gid_t {
    if let number = gid_t(name) { return number }
    var entry = unsafe group()
    var found: UnsafeMutablePointer<group>? = nil
    var strings = [CChar](repeating: 0, count: entryBytesMaximum)
    // Sound: the entry's strings lie in `strings`, and only its number is read.
    let status = unsafe getgrnam_r(name, &entry, &strings, strings.count, &found)
    guard status == 0, unsafe found != nil else {
      throw .invalidValue(key: "group", value: name, expected: "a group of this system")
    }
    return unsafe entry.gr_gid
  }
}
