import Agent
import ByteParsing

/// A model as other tools keep it, which is to become a TensorFlow Lite file first.
enum ForeignModel: Equatable {
  case directory
  case savedModel
  case zip
  case hdf5
  case onnx
  case unknown

  /// What lies at `path` when it is a directory; nil for all else.
  init?(path: String) {
    switch VersionAbsence.ofModel(at: path) {
    case .savedModel: self = .savedModel
    case .directory: self = .directory
    case nil: return nil
    }
  }

  /// What a file that is no bundle is; nil for a TensorFlow Lite file.
  init?(_ bytes: ByteView, path: String) {
    let start = (try? bytes.slice(at: 0, count: min(bytes.count, 8)).array) ?? []
    if start.count == 8, start[4...].elementsEqual("TFL3".utf8) { return nil }
    if start.starts(with: "PK".utf8) {
      self = .zip
    } else if start.starts(with: [0x89] + Array("HDF".utf8)) {
      self = .hdf5
    } else if path.hasSuffix("saved_model.pb") {
      self = .savedModel
    } else {
      self = path.hasSuffix(".onnx") ? .onnx : .unknown
    }
  }

  /// What follows the path and a colon.
  var sentence: String {
    let converter = "tf.lite.TFLiteConverter"
    return switch self {
    case .directory: "is a directory; name a model file within it"
    case .savedModel:
      "is a SavedModel; make a TensorFlow Lite file of its directory with "
        + "\(converter).from_saved_model(directory).convert()"
    case .zip, .hdf5:
      "is no TensorFlow Lite file but \(self == .zip ? "an archive" : "an HDF5 file"); make one of a "
        + "Keras model with \(converter).from_keras_model(model).convert()"
    case .onnx: "is an ONNX model; only TensorFlow Lite files and bundles are read"
    case .unknown: "is neither a TensorFlow Lite file nor a bundle"
    }
  }
}
