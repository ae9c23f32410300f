import Glibc
import Transport

/// A port of this machine that answers what the data socket does, to whoever shows a token.
package struct LoopbackConfiguration: Sendable, Equatable {
  package var address = "127.0.0.1"
  /// 0 for any that is free.
  package var port: Int
  /// A file whose first line is the token.
  package var tokenFile: String

  package init(port: Int, tokenFile: String) {
    self.port = port
    self.tokenFile = tokenFile
  }

  func place() throws(AgentError) -> LoopbackPlace {
    guard (0...65_535).contains(port) else {
      throw .invalidValue(key: "tcp.port", value: String(port), expected: "0 to 65535")
    }
    guard let place = LoopbackPlace(address: address, port: port) else {
      throw .invalidValue(
        key: "tcp.address", value: address,
        expected: "an address that this machine alone reaches: 127.0.0.0/8 or ::1")
    }
    return place
  }

  /// The token, from a file that nobody else can read or change.
  func token() throws(AgentError) -> BearerToken {
    var status = stat()
    guard unsafe stat(tokenFile, &status) == 0 else {
      throw .unreadableFile(path: tokenFile, errno: errno)
    }
    let isOwned = status.st_uid == geteuid() || status.st_uid == 0
    guard isOwned, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o037 == 0 else {
      throw .invalidValue(
        key: "tcp.token_file", value: tokenFile,
        expected: "a file of the agent's user or root, which others cannot read or change: mode "
          + "0600 or 0640")
    }
    let bytes = try WholeFile.read(tokenFile, maximum: AgentLimits.passwordFileBytesMaximum)
    guard let token = BearerToken(Array(bytes.prefix { $0 != 0x0A && $0 != 0x0D })) else {
      throw .invalidValue(
        key: "tcp.token_file", value: tokenFile,
        expected: "one whose first line is \(BearerToken.bytes.lowerBound) to "
          + "\(BearerToken.bytes.upperBound) visible characters")
    }
    return token
  }
}
