package import Cryptography

/// What one version of a model is: its bytes, what it needs, and how it must prove itself.
package struct ReleaseDocument: Sendable, Equatable {
  /// The fleet's name.
  package var fleet: String
  /// The model's name.
  package var model: String
  /// The version, positive; it only rises.
  package var sequence: Int64
  /// The version as people write it.
  package var versionText: String
  /// Seconds since 1970.
  package var created: Int64
  /// Bytes of the bundle.
  package var rawSize: Int64
  /// A block has 2 to this power bytes; the last one may be shorter.
  package var blockSizeLog2: Int
  /// The files in the bundle.
  package var files: [File]
  /// The digest of the whole bundle.
  package var bundleSHA256: Digest
  /// The digest of the raw blocks' digests one after another.
  package var blockListSHA256: Digest
  /// The object that holds the whole bundle.
  package var full: Object
  /// Objects that hold the difference from an earlier bundle.
  package var deltas: [Delta]
  /// What a device must have.
  package var needs: Needs
  /// How the version proves itself on a device.
  package var gate: Gate
  /// No release below this one may be installed any more.
  package var securityFloor: Int64
  /// Seconds since 1970.
  package var expires: Int64

  package init(
    fleet: String, model: String, sequence: Int64, versionText: String, created: Int64,
    rawSize: Int64, blockSizeLog2: Int = 16, files: [File], bundleSHA256: Digest,
    blockListSHA256: Digest, full: Object, deltas: [Delta] = [], needs: Needs = Needs(),
    gate: Gate = Gate(), securityFloor: Int64 = 0, expires: Int64
  ) {
    self.fleet = fleet
    self.model = model
    self.sequence = sequence
    self.versionText = versionText
    self.created = created
    self.rawSize = rawSize
    self.blockSizeLog2 = blockSizeLog2
    self.files = files
    self.bundleSHA256 = bundleSHA256
    self.blockListSHA256 = blockListSHA256
    self.full = full
    self.deltas = deltas
    self.needs = needs
    self.gate = gate
    self.securityFloor = securityFloor
    self.expires = expires
  }

  /// Bytes of a block.
  package var blockSize: Int { 1 << blockSizeLog2 }

  /// Blocks of the bundle.
  package var blockCount: Int { (Int(rawSize) + blockSize - 1) / blockSize }

  /// Raw bytes of block `block`.
  package func rawByteCount(ofBlock block: Int) -> Int {
    min(blockSize, Int(rawSize) - block * blockSize)
  }

  /// A file inside the bundle.
  package struct File: Sendable, Equatable {
    package var name: String
    package var offset: Int64
    package var size: Int64
    package var sha256: Digest

    package init(name: String, offset: Int64, size: Int64, sha256: Digest) {
      self.name = name
      self.offset = offset
      self.size = size
      self.sha256 = sha256
    }
  }

  /// An encoded payload on the broker.
  package struct Object: Sendable, Equatable {
    /// 22 characters of base64url: the start of the SHA-256 of the object's index.
    package var objectID: String
    /// Bytes of all encoded blocks.
    package var encodedBytes: Int64

    package init(objectID: String, encodedBytes: Int64) {
      self.objectID = objectID
      self.encodedBytes = encodedBytes
    }
  }

  /// An object that needs an earlier bundle to be decoded.
  package struct Delta: Sendable, Equatable {
    package var baseSHA256: Digest
    package var object: Object

    package init(baseSHA256: Digest, object: Object) {
      self.baseSHA256 = baseSHA256
      self.object = object
    }
  }

  /// What a device must have; nil where anything will do.
  package struct Needs: Sendable, Equatable {
    /// The first agent version that can run the model.
    package var runtimeMinimum: String?
    /// The last agent version that can run the model.
    package var runtimeMaximum: String?
    /// `x86_64` or `aarch64`.
    package var architecture: String?
    /// Processor features, one bit each.
    package var processorFeatures: UInt64
    /// Bytes of memory at the model's high-water mark.
    package var peakBytes: Int64
    /// Bytes of disk.
    package var diskBytes: Int64

    package init(
      runtimeMinimum: String? = nil, runtimeMaximum: String? = nil, architecture: String? = nil,
      processorFeatures: UInt64 = 0, peakBytes: Int64 = 0, diskBytes: Int64 = 0
    ) {
      self.runtimeMinimum = runtimeMinimum
      self.runtimeMaximum = runtimeMaximum
      self.architecture = architecture
      self.processorFeatures = processorFeatures
      self.peakBytes = peakBytes
      self.diskBytes = diskBytes
    }
  }

  /// How the version proves itself on a device; nil where the agent's own rule holds.
  package struct Gate: Sendable, Equatable {
    /// The bundle's file of golden vectors; nil when there is none.
    package var vectorsFile: String?
    /// Steps by which an integer output may differ.
    package var integerTolerance: Int64
    /// Parts per billion by which a float output may differ.
    package var relativeTolerance: Int64
    /// The 95th percentile of latency, in thousandths of the previous version's.
    package var latencyRatioMaximum: Int64?
    /// Bytes of resident memory.
    package var residentBytesMaximum: Int64?
    /// Minutes of trial.
    package var trialMinutes: Int64?
    /// Requests of the trial at least.
    package var trialRequestsMinimum: Int64?
    /// Failed requests per million in the trial at most.
    package var errorRateMaximum: Int64?

    package init(
      vectorsFile: String? = nil, integerTolerance: Int64 = 1, relativeTolerance: Int64 = 100_000,
      latencyRatioMaximum: Int64? = nil, residentBytesMaximum: Int64? = nil,
      trialMinutes: Int64? = nil, trialRequestsMinimum: Int64? = nil,
      errorRateMaximum: Int64? = nil
    ) {
      self.vectorsFile = vectorsFile
      self.integerTolerance = integerTolerance
      self.relativeTolerance = relativeTolerance
      self.latencyRatioMaximum = latencyRatioMaximum
      self.residentBytesMaximum = residentBytesMaximum
      self.trialMinutes = trialMinutes
      self.trialRequestsMinimum = trialRequestsMinimum
      self.errorRateMaximum = errorRateMaximum
    }
  }
}
