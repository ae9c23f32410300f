/// Why no version of a model is found where it is looked for.
package enum VersionAbsence {
  /// What a directory is that somebody named in place of a model file.
  package enum Directory {
    case savedModel
    case directory
  }

  private static let savedModelFile = "saved_model.pb"

  /// Nil when there is no directory at `path`.
  package static func ofModel(at path: String) -> Directory? {
    guard PathKind(path) == .directory else { return nil }
    return PathKind(path + "/" + savedModelFile) == .missing ? .directory : .savedModel
  }

  /// What to say of a path at which a scan finds no version.
  static func sentence(_ path: String) -> String {
    guard PathKind(path) == .directory else { return "nothing lies at this path" }
    let names = DirectoryListing.names(path, maximum: AgentLimits.directoryEntriesMaximum) ?? []
    let isSavedModel = ([path] + names.map { path + "/" + $0 }).contains {
      if case .savedModel = ofModel(at: $0) { true } else { false }
    }
    return isSavedModel
      ? "this is a SavedModel; make a TensorFlow Lite file of it with "
        + "tf.lite.TFLiteConverter.from_saved_model(directory).convert()"
      : "it has no directory, named by a number above 0, with model.tflite, bundle or one .tflite file"
  }
}
