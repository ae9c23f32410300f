import ByteParsing
import ModelBundle
import TFLiteImport

/// What a version's file holds, whichever of the two forms it has.
struct ModelFile: Sendable {
  /// The model in its own format, a view of the mapped file.
  var model: ByteView
  var labels: [String]
  var golden: GoldenVectors?
  private let file: MappedFile

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
      return
    }
    do throws(BundleError) {
      let bundle = try Bundle(bytes)
      try bundle.verifyFiles()
      model = bundle.model
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
