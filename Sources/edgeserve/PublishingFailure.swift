import Agent
import Cryptography
import MQTT
import ModelBundle
import Publishing
import SignedDocuments

extension CommandFailure {
  /// A publishing failure as a person is told of it.
  init(_ error: PublishingError) {
    switch error {
    case .cryptography(let error): self.init(error)
    case .bundle(let error): self.init(.badInput, "the bundle cannot be used: \(error)")
    case .document(let error): self.init(.badInput, Self.sentence(error))
    case .file(let path, let errno): self.init(.badInput, "\(path): \(systemMessage(errno))")
    case .fileExists(let path):
      self.init(.badInput, "\(path) exists already and is not overwritten")
    case .wrongKeyRole(let path, let expected, let actual):
      self.init(.badInput, "\(path) holds the \(actual) key, not the \(expected.rawValue) key")
    case .keyNotTrusted(let role):
      self.init(.badInput, "root.cose does not name this \(role.rawValue) key")
    case .rootHolders(let limit, let different, let threshold):
      self.init(
        .badInput,
        "\(threshold) of \(different) different root keys cannot sign: name 1 to \(limit) keys, each "
          + "once, and a --root-threshold from 1 to their number")
    case .rootHoldersUnnamed(let count):
      self.init(
        .badInput,
        "\(count) keys hold the root; name those that are to hold it with --root-key, and "
          + "--root-threshold")
    case .notAHolder:
      self.init(
        .badInput, "this key holds neither the root that devices have nor the one to be signed")
    case .signedAlready: self.init(.failure, "this key has signed the document already")
    case .bundleTooLarge(let limit, let actual):
      self.init(.badInput, "the bundle has \(actual) bytes; at most \(limit) can be published")
    case .rolloutChanged(let model):
      self.init(.failure, "the rollout of \(model) was changed by somebody else; look at it again")
    case .notPinned(let model, let device):
      self.init(.failure, "\(model) is not pinned on \(device)")
    case .publicationRefused(let topic, let reason):
      self.init(
        .failure,
        reason == 0x87
          ? "the broker does not let this user publish on \(topic); see `edgeserve acl`"
          : "the broker did not take the message on \(topic), with code \(reason)")
    case .notHeld(let device): self.init(.failure, "\(device) is not held")
    case .archive(let error): self.init(.badInput, error.sentence)
    case .archiveTooLarge(let limit, let actual):
      self.init(
        .badInput,
        "the file would hold \(actual) messages; at most \(limit) fit: leave out --base")
    case .invalidName(let name):
      self.init(
        .badInput, "'\(name)' is no name: use 1 to 64 of A-Z a-z 0-9 _ -")
    case .versionNotAbove(let published, let requested):
      self.init(
        .failure,
        "version \(requested) is not above the published version \(published); "
          + "use --allow-down to publish it all the same")
    case .versionTaken(let version):
      self.init(
        .failure, "version \(version) was published with other contents; use a new version")
    case .versionNotPublished(let version):
      self.init(.badInput, "the broker has no release of version \(version); publish it first")
    case .noDirector(let model):
      self.init(.badInput, "nothing was published of model '\(model)' to this broker yet")
    case .noRollout(let model):
      self.init(
        .failure, "no rollout of model '\(model)' is under way; begin one with rollout start")
    case .noFallback(let model):
      self.init(.failure, "no earlier release of model '\(model)' is known; name one with --version")
    case .alreadyTarget(let version):
      self.init(
        .failure, "a rollout of version \(version) is under way; widen it with rollout advance")
    case .percentNotAbove(let now, let requested):
      self.init(
        .failure,
        "the rollout has reached \(Percent.text(now)) and only widens; \(Percent.text(requested)) "
          + "is not above it")
    case .notRetained(let missing, let checked):
      self.init(
        .failure,
        "the broker does not hold \(missing) of the \(checked) messages that were read back; "
          + "look at its limits on retained messages and at its access list, then publish again")
    case .sequenceExhausted:
      self.init(.failure, "the director document's numbers are used up; change the root document")
    case .mqtt(let error): self.init(.failure, "the MQTT client refused: \(error)")
    case .disconnected(let reason): self.init(.unreachable, Self.sentence(reason))
    case .subscriptionRefused(let topic):
      self.init(.failure, "the broker does not let this user read \(topic)")
    case .stalled(let seconds):
      self.init(.unreachable, "the broker has acknowledged nothing for \(seconds) s")
    }
  }

  init(_ error: CryptographyError) {
    switch error {
    case .file(let path, let call, let errno):
      self.init(.badInput, "\(path): \(call.rawValue): \(systemMessage(errno))")
    case .keyFileExists(let path):
      self.init(.badInput, "\(path) exists already and is not overwritten")
    case .keyFileExposed(let path, let mode):
      self.init(
        .badInput,
        "\(path) may be read by others (mode \(String(mode, radix: 8))); run chmod 600 \(path)")
    case .keyFileMalformed(let path): self.init(.badInput, "\(path) is not a key file")
    case .keyFileTooLarge(let path, let limit, let actual):
      self.init(.badInput, "\(path) has \(actual) bytes; a key file has at most \(limit)")
    case .wrongKeyByteCount(let expected, let actual):
      self.init(.badInput, "a key has \(expected) bytes, not \(actual)")
    case .libraryFailure(let operation):
      self.init(.failure, "libcrypto refused: \(operation.rawValue)")
    }
  }

  private static func sentence(_ error: DocumentError) -> String {
    switch error {
    case .expired(let role, let expires, let now):
      "the \(role.rawValue) document expired at \(UTCTime.text(seconds: Int(expires), milliseconds: 0)); "
        + "it is \(UTCTime.text(seconds: Int(now), milliseconds: 0)) now"
    case .notEnoughSignatures(let role, let needed, let valid):
      "\(valid) of \(needed) signatures by the \(role.rawValue) keys hold"
    case .wrongFleet(let expected, let actual):
      "the keys are fleet \(actual)'s, not fleet \(expected)'s"
    case .wrongRootVersion(let expected, let actual):
      "this is root document \(actual), and \(expected) comes next"
    default: "a document does not hold: \(error)"
    }
  }

  static func sentence(_ reason: MQTTDisconnection) -> String {
    switch reason {
    case .requested: "the connection to the broker was closed"
    case .unresolvedHost: "the broker's host name has no address"
    case .refused(let code):
      switch code {
      case 4, 0x86: "the broker refused the user name or password"
      case 5, 0x87: "the broker refused: not authorised"
      case 0x88, 0x89: "the broker has no room for a connection now"
      case 0x8A: "the broker has banned this client"
      default: "the broker refused the connection with code \(code)"
      }
    case .dismissed(let reason):
      switch reason {
      case 0x8B: "the broker is shutting down"
      case 0x8D: "the broker heard nothing for too long"
      case 0x8E: "another client connected under this one's name"
      case 0x95: "the broker takes no message that large"
      default: "the broker ended the connection with code \(reason)"
      }
    case .timedOut: "the broker did not answer in time"
    case .lost(let errno):
      errno == 0
        ? "the broker closed the connection" : "the broker cannot be reached: \(systemMessage(errno))"
    // MOSQ_ERR_TLS of the library.
    case .library(code: 8):
      "no protected connection: the broker's certificate or this client's is not accepted"
    case .library(let code): "the connection to the broker broke: MOSQ_ERR \(code)"
    }
  }
}
