import Glibc
import TestSupport

/// A model whose output is its input.
enum CopyModel {
  /// - Parameter extents: of the float32 tensor.
  static func write(_ extents: [Int32], to path: String) throws {
    var model = TFLiteWriter()
    // Negated twice.
    model.codes = [(59, 1)]
    model.tensors = [
      TFLiteWriter.Tensor(extents, name: "input"), TFLiteWriter.Tensor(extents, name: "between"),
      TFLiteWriter.Tensor(extents, name: "output"),
    ]
    model.operators = [
      TFLiteWriter.Operator(inputs: [0], outputs: [1]),
      TFLiteWriter.Operator(inputs: [1], outputs: [2]),
    ]
    model.inputs = [0]
    model.outputs = [2]
    write(model.bytes(), to: path)
  }

  private static func write(_ bytes: [UInt8], to path: String) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0)
    defer { close(descriptor) }
    // Sound: the pointer and the count are those of `bytes`.
    let count = unsafe Glibc.write(descriptor, bytes, bytes.count)
    precondition(count == bytes.count)
  }
}
