/// TLS 1.2 or later on the connection to a broker.
package enum MQTTSecurity: Sendable, Equatable {
  /// The broker proves itself by a certificate for its host name, and the client by its own when it
  /// has one. All files are PEM.
  ///
  /// - Parameter authority: the file of the authorities that are trusted; nil for the system's.
  case certificates(authority: String?, client: ClientCertificate?)
  /// Both know a key, named by an identity.
  ///
  /// - Parameter key: 16 to 128 hexadecimal digits.
  case sharedKey(identity: String, key: String)

  /// What a client proves itself by.
  package struct ClientCertificate: Sendable, Equatable {
    package var certificate: String
    /// The file of the private key, without a pass phrase.
    package var key: String

    package init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  /// Where distributions keep the authorities that they trust.
  static let systemAuthorities = "/etc/ssl/certs"
  /// Of TLS 1.2, with forward secrecy first; 1.3 and shared keys do not go together in all versions
  /// of the library.
  static let sharedKeyCiphers =
    "ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384"

  /// Whether its parts are of the kind that the library takes.
  package var isValid: Bool {
    switch self {
    case .certificates(let authority, let client):
      return [authority, client?.certificate, client?.key].allSatisfy { path in
        path.map { !$0.isEmpty && !$0.utf8.contains(0) } ?? true
      }
    case .sharedKey(let identity, let key):
      return (1...128).contains(identity.utf8.count) && !identity.utf8.contains(0)
        && (16...128).contains(key.utf8.count) && key.utf8.count.isMultiple(of: 2)
        && key.allSatisfy { $0.isASCII && $0.isHexDigit }
    }
  }
}
