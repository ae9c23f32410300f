package import Cryptography
import SignedDocuments

/// What is to be done, in order; after a failed storage effect the rest of the same model's is left
/// out.
package enum DeliveryEffect: Sendable, Equatable {
  case subscribe([String])
  case unsubscribe([String])
  /// Make the record durable. `model` is the one that acts on it next; empty for the root.
  case persist(model: String, record: [UInt8])
  /// Answer with `.verified`.
  case verify(model: String, version: Int64, byteCount: Int64, bundle: Digest)
  /// Set space aside; answer with `.reserved`.
  case reserve(Reservation)
  /// Hash the staged blocks; answer with `.hashed`.
  case hashStaged(model: String, blockByteCount: Int)
  /// Write a block; what was written is made durable as the storage likes it.
  case write(model: String, bytes: [UInt8], offset: Int)
  /// Write blocks of an installed version's bundle to the same places of the staged one; what it
  /// has too few bytes for is left out.
  case copyBlocks(model: String, version: Int64, blocks: [Int], blockByteCount: Int)
  /// Answer with `.baseRead`: the bytes of an installed version's bundle at `offset`, zeros where it
  /// has none.
  case readBase(model: String, version: Int64, offset: Int, count: Int)
  /// Check the whole and move it into the store; answer with `.assembled`.
  case assemble(model: String, bundle: Digest)
  case discardStaged(model: String)
  /// Bring a stored version into service; answer with `.activated`.
  case activate(model: String, version: Int64, proof: Proof)
  /// Answer with `.observed`, when something is known of the version.
  case observe(model: String, version: Int64)
  /// Tell the publisher that the broker does not hold all of an object.
  case requestSeed(objectID: String)
  /// Leave the broker and connect anew, to another one where there is one.
  case reconnect
  /// Leave the broker for another one that may have what this one lacks; stay where there is none.
  case changeBroker
  /// Tell the fleet what became of a command.
  case acknowledge(sequence: Int64, code: String)
  /// Answer with `.releaseRead`, when the release of the stored version can be read.
  case readRelease(model: String, version: Int64)
  /// Remove what is not in use; `model` is the one that asks.
  case collectGarbage(model: String, InUse)

  /// What a version must show before it serves.
  package struct Proof: Sendable, Equatable {
    /// Whether a version without golden vectors is refused; with them it is always proven.
    package var requiresVectors = false
    /// The latency of one inference at most, in thousandths of that of the version that serves.
    package var latencyRatio: Int64?
    /// Bytes of its weights, activations and scratch at most.
    package var memoryBytes: Int64?
    /// Whether it is refused when a pipeline that works would not with it: a version that is new here,
    /// and none that comes back.
    package var keepsPipelines = false

    package init() {}

    init(_ gate: ReleaseDocument.Gate) {
      requiresVectors = gate.vectorsFile != nil
      latencyRatio = gate.latencyRatioMaximum
      memoryBytes = gate.residentBytesMaximum
      keepsPipelines = true
    }
  }

  /// What of the store is in use.
  package struct InUse: Sendable, Equatable {
    /// Versions by model.
    package var versions: [String: Set<Int64>] = [:]
    /// Models whose staging is used, or may be.
    package var staging: Set<String> = []
    /// Models of which nothing is known yet; nothing of theirs is removed.
    package var untouched: Set<String> = []
  }

  /// Space for a release.
  package struct Reservation: Sendable, Equatable {
    package var model: String
    package var version: Int64
    /// SHA-256 of the signed release message.
    package var manifest: Digest
    package var byteCount: Int64
    /// The signed release message.
    package var release: [UInt8]
  }

  /// Effects that can fail.
  package enum Kind: Sendable, Equatable {
    case persist, reserve, hashStaged, copyBlocks, readBase, write, assemble
    case collectGarbage
  }
}
