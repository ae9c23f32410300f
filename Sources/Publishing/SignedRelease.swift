import ByteParsing
import Cryptography
package import ModelBundle
package import SignedDocuments

/// A release with the message that carries it and the object that it describes.
package struct SignedRelease: Sendable {
  /// The release.
  package let document: ReleaseDocument
  /// The signed message.
  package let message: [UInt8]
  /// The encoded bundle.
  package let object: EncodedObject
  /// The encoded differences from earlier bundles, in the order of the document's deltas.
  package let deltas: [EncodedObject]

  /// What is said of a release beyond its bundle.
  package struct Options: Sendable {
    /// The version.
    package var version: Int64
    /// Seconds since 1970.
    package var created: Int64
    /// Seconds since 1970.
    package var expires: Int64
    /// No release below this one may be installed any more.
    package var securityFloor: Int64
    /// The zstd level of the blocks.
    package var level: Int
    /// What a device holds the version to; the vectors and tolerances are the bundle's own.
    package var gate: ReleaseDocument.Gate
    /// Earlier bundles, from which a delta is made where it is worth it.
    package var bases: [Bundle]

    package init(
      version: Int64, created: Int64, expires: Int64, securityFloor: Int64 = 0,
      level: Int = BlockCodec.defaultLevel, gate: ReleaseDocument.Gate = .init(),
      bases: [Bundle] = []
    ) {
      self.version = version
      self.created = created
      self.expires = expires
      self.securityFloor = securityFloor
      self.level = level
      self.gate = gate
      self.bases = bases
    }
  }

  /// Encodes `bundle` and signs its release; equal input gives equal bytes.
  package init(_ bundle: Bundle, model: String, options: Options, keys: PublisherKeys)
    throws(PublishingError)
  {
    let fleet = keys.trustedRoot.document.fleet
    guard Token.isValid(model) else { throw .invalidName(model) }
    object = EncodedObject(
      encoding: bundle.bytes, blockSizeLog2: try Self.blockSizeLog2(bundle.bytes.count),
      level: options.level)
    let deltas = Self.deltas(bundle, object, options)
    self.deltas = deltas.map(\.object)
    var document = Self.describe(bundle, object, fleet, model, options)
    document.deltas = deltas.map { base, object in
      ReleaseDocument.Delta(
        baseSHA256: base,
        object: .init(objectID: object.index.objectID, encodedBytes: object.encodedBytes))
    }
    self.document = document
    do throws(CryptographyError) {
      let signed = try SignedMessage(
        role: .release, payload: document.encode(), keys: [keys.release])
      message = signed.encode()
    } catch {
      throw .cryptography(error)
    }
    do throws(DocumentError) {
      _ = try keys.trustedRoot.verify(release: message, model: model, now: options.created)
    } catch {
      throw .document(error)
    }
  }

  /// A release that was signed before, with the object that it describes.
  init(
    document: ReleaseDocument, message: [UInt8], object: EncodedObject, deltas: [EncodedObject]
  ) {
    self.document = document
    self.message = message
    self.object = object
    self.deltas = deltas
  }

  /// The deltas that are worth publishing, with the digests of their bases.
  private static func deltas(_ bundle: Bundle, _ full: EncodedObject, _ options: Options)
    -> [(base: Digest, object: EncodedObject)]
  {
    var deltas: [(base: Digest, object: EncodedObject)] = []
    for base in options.bases.prefix(Int(DocumentLimits.deltas)) {
      let digest = base.bytes.sha256
      guard !deltas.contains(where: { $0.base == digest }), digest != bundle.bytes.sha256 else {
        continue
      }
      let object = EncodedObject(
        encoding: bundle.bytes, base: base.bytes, blockSizeLog2: full.blockSizeLog2,
        level: options.level)
      guard
        object.encodedBytes * 100
          < full.encodedBytes * PublishingLimits.deltaPercent
      else { continue }
      deltas.append((digest, object))
    }
    return deltas
  }

  /// The release by number and by the digest of its message.
  package var reference: DirectorDocument.Reference {
    DirectorDocument.Reference(
      sequence: document.sequence, manifestSHA256: SHA256.hash(message))
  }

  /// The smallest block with which the bundle's blocks can be counted: from 64 KiB, or from 128 KiB
  /// where the bundle is large, because what is sent beside a block does not grow with it.
  static func blockSizeLog2(_ rawSize: Int) throws(PublishingError) -> Int {
    let least = rawSize < PublishingLimits.largeBundleBytes ? 16 : 17
    for log2 in least...Int(DocumentLimits.blockSizeLog2.upperBound) {
      if (rawSize + (1 << log2) - 1) >> log2 <= Int(DocumentLimits.blocks) { return log2 }
    }
    throw .bundleTooLarge(
      limit: DocumentLimits.blocks << DocumentLimits.blockSizeLog2.upperBound,
      actual: Int64(rawSize))
  }

  private static func describe(
    _ bundle: Bundle, _ object: EncodedObject, _ fleet: String, _ model: String, _ options: Options
  ) -> ReleaseDocument {
    let tolerance = bundle.golden?.tolerance ?? GoldenVectors.Tolerance()
    let index = bundle.index
    var gate = options.gate
    gate.vectorsFile = index.vectorsFile.map { index.files[$0].name }
    gate.integerTolerance = tolerance.integerSteps
    gate.relativeTolerance = tolerance.relativePartsPerBillion
    return ReleaseDocument(
      fleet: fleet, model: model, sequence: options.version,
      versionText: String(options.version), created: options.created,
      rawSize: Int64(bundle.bytes.count), blockSizeLog2: object.blockSizeLog2,
      files: index.files.map {
        .init(name: $0.name, offset: $0.offset, size: $0.size, sha256: $0.sha256)
      },
      bundleSHA256: bundle.bytes.sha256, blockListSHA256: object.index.blockListSHA256,
      full: .init(objectID: object.index.objectID, encodedBytes: object.encodedBytes),
      needs: .init(
        peakBytes: index.peakBytes ?? 0,
        diskBytes: Int64(bundle.bytes.count) + Int64(1 << object.blockSizeLog2)),
      gate: gate,
      securityFloor: options.securityFloor, expires: options.expires)
  }
}

extension DirectorDocument {
  /// The message that carries this document, signed by the director key of `keys`.
  package func signed(by keys: PublisherKeys) throws(PublishingError) -> [UInt8] {
    try sign(encode(), keys)
  }
}

/// The message of `payload`, signed by the director key of `keys`.
func sign(_ payload: [UInt8], _ keys: PublisherKeys) throws(PublishingError) -> [UInt8] {
  do throws(CryptographyError) {
    return try SignedMessage(role: .director, payload: payload, keys: [keys.director]).encode()
  } catch {
    throw .cryptography(error)
  }
}
