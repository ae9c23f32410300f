internal import Glibc
package import NIOCore

/// The layout of the system's `struct ucred`.
struct UserCredentials: Sendable {
  var processID: Int32 = 0
  var userID: UInt32 = 0
  var groupID: UInt32 = 0
}

/// Asks the kernel who opened the other end of `channel`; nil when it does not say.
///
/// Must be called on the channel's event loop, where the answer is there at once.
package func socketPeer(of channel: any Channel) -> PeerCredentials? {
  guard let provider = channel as? any SocketOptionProvider else { return nil }
  let answer: EventLoopFuture<UserCredentials> = provider.unsafeGetSocketOption(
    level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
  var peer: PeerCredentials?
  answer.assumeIsolated().whenSuccess { credentials in
    peer = PeerCredentials(
      processID: credentials.processID, userID: credentials.userID, groupID: credentials.groupID)
  }
  return peer
}
