package import Cryptography
package import MQTT
package import ModelBundle
package import SignedDocuments

/// Why a release cannot be made or published.
package enum PublishingError: Error, Equatable, Sendable {
  /// A key cannot be made, read, or used.
  case cryptography(CryptographyError)
  /// A bundle cannot be read.
  case bundle(BundleError)
  /// A document that was made or found does not hold.
  case document(DocumentError)
  /// A file call on `path` failed with `errno`.
  case file(path: String, errno: Int32)
  /// A file exists where a new one should be written.
  case fileExists(path: String)
  /// The key in `path` is for another role.
  case wrongKeyRole(path: String, expected: Role, actual: String)
  /// The root document does not give `role` to the key in the same directory.
  case keyNotTrusted(role: Role)
  /// Root keys that repeat, are none or too many, or do not reach the threshold.
  case rootHolders(limit: Int, different: Int, threshold: Int)
  /// Several hold the root, and it is not said who is to hold it next.
  case rootHoldersUnnamed(count: Int)
  /// The key is neither of the root that devices have nor of the one that is signed.
  case notAHolder
  /// The key has signed the root document.
  case signedAlready
  /// The bundle needs more blocks than an object may have.
  case bundleTooLarge(limit: Int64, actual: Int64)
  /// A release in a file cannot be read.
  case archive(ArchiveError)
  /// A file would hold more messages than one may.
  case archiveTooLarge(limit: Int, actual: Int)
  /// A name is not a token of 1 to 64 characters.
  case invalidName(String)
  /// The version is not above the published one.
  case versionNotAbove(published: Int64, requested: Int64)
  /// The version was published before with other bytes.
  case versionTaken(version: Int64)
  /// The broker has no release of the version.
  case versionNotPublished(version: Int64)
  /// Nothing was ever published of the model.
  case noDirector(model: String)
  /// No rollout of the model is under way.
  case noRollout(model: String)
  /// No earlier release is known to go back to.
  case noFallback(model: String)
  /// The rollout was paused, widened or ended by somebody else meanwhile.
  case rolloutChanged(model: String)
  /// The device follows the director for this model already.
  case notPinned(model: String, device: String)
  /// The broker did not take a message, with a reason code of MQTT 5.
  case publicationRefused(topic: String, reason: Int32)
  /// The device may install already.
  case notHeld(device: String)
  /// A rollout of the version is under way already.
  case alreadyTarget(version: Int64)
  /// A rollout only widens; both in hundredths of a percent.
  case percentNotAbove(now: Int64, requested: Int64)
  /// The broker does not hold `missing` of `checked` messages as they were published.
  case notRetained(missing: Int, checked: Int)
  /// The broker's director document has the highest number there is.
  case sequenceExhausted
  /// A call of the MQTT client was refused.
  case mqtt(MQTTError)
  /// The broker refused or dropped the connection, or could not be reached.
  case disconnected(MQTTDisconnection)
  /// The broker refused to let this publisher read `topic`.
  case subscriptionRefused(topic: String)
  /// Nothing was acknowledged for `seconds`.
  case stalled(seconds: Int)
}
