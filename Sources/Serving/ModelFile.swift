import ByteParsing
import Cryptography
import Glibc
import ModelBundle
import TFLiteImport

/// What a version's file holds, whichever of the two forms it has.
struct ModelFile: Sendable {
  /// The model in its own format, a view of the mapped file.
  var model: ByteView
  var labels: [String]
  var golden: GoldenVectors?
  /// SHA-256 of the model as the bundle names it, which was checked; nil for a file of its own.
  private let verified: Digest?
  private let file: MappedFile

  /// SHA-256 of the model; reads all of it when it has no bundle.
  var digest: Digest { verified ?? model.sha256 }

  /// What vouches for the content of a model that has no bundle: nil when it was written so lately that
  /// a later write may have the same time.
  var stamp: FileStamp? {
    guard verified == nil else { return nil }
    var now = timespec()
    // Sound: the pointer is to a local variable of the type that the call fills.
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    let age = Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec) &- file.stamp.changed
    return age >= ServingLimits.stampNanosecondsMinimum ? file.stamp : nil
  }

  /// Whether the file is still what it was when it was opened.
  var isIntact: Bool { file.isIntact }

  /// Opens a `.tflite` file or a bundle; the content decides, not the name.
  init(path: String) throws(LoadFailure) {
    let bytes: ByteView
    do throws(ParsingError) {
      file = try MappedFile(path: path)
      bytes = file.bytes
    } catch {
      throw LoadFailure(error, path: path)
    }
    if Self.isTFLite(bytes) {
      model = bytes
      labels = TFLiteLabels.labels(in: bytes)
      golden = nil
      verified = nil
      return
    }
    do throws(BundleError) {
      let bundle = try Bundle(bytes)
      try bundle.verifyFiles()
      model = bundle.model
      verified = bundle.index.files[bundle.index.modelFile].sha256
      labels = bundle.labels.isEmpty ? TFLiteLabels.labels(in: bundle.model) : bundle.labels
      golden = bundle.golden
    } catch {
      throw LoadFailure(error, path: path)
    }
  }

  /// FlatBuffers keep the file identifier after the root offset.
  private static func isTFLite(_ bytes: ByteView) -> Bool {
    let identifier: UInt32? = try? bytes.load(at: 4)
    return identifier == 0x334C_4654
  }
}
