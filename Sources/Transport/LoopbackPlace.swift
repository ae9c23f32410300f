/// A port that nobody beyond this machine can reach.
package struct LoopbackPlace: Sendable, CustomStringConvertible {
  /// An address of the loopback interface, in numbers.
  package let address: String
  package let port: Int

  /// - Parameter port: 0 for any that is free.
  /// - Returns: nil for an address that others can reach, for a name, or for no port.
  package init?(address: String, port: Int) {
    guard address == "::1" || Self.isLoopback(address), (0...65_535).contains(port) else {
      return nil
    }
    self.address = address
    self.port = port
  }

  package var description: String {
    address == "::1" ? "[::1]:\(port)" : "\(address):\(port)"
  }

  /// Whether it is one of 127.0.0.0/8, in four numbers.
  private static func isLoopback(_ address: String) -> Bool {
    let parts = address.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { part in
        UInt8(part).map { String($0) == part } ?? false
      }
  }
}
