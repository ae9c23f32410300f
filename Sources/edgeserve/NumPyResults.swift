import ByteParsing
import Glibc
import NumPyFiles
import Runtime
import Tensors

extension Instance {
  /// Copies `arrays` into the inputs, in order.
  ///
  /// - Precondition: types and shapes are those that the model was planned for.
  func load(_ arrays: [NumPyFile]) {
    for (index, array) in arrays.enumerated() {
      unsafe withInput(index) { input in
        unsafe array.elements.withUnsafeBytes { unsafe input.copyMemory(from: $0) }
      }
    }
  }

  /// Copies of the outputs, in order.
  ///
  /// - Precondition: the last run was complete.
  func arrays() throws(CommandFailure) -> [NumPyFile] {
    model.outputs.enumerated().map { index, output in
      let bytes = unsafe withOutput(index) { unsafe [UInt8]($0) }
      return NumPyFile(
        dataType: output.type.dataType, shape: shape(ofOutput: index) ?? output.type.shape,
        elements: ByteView(bytes))
    }
  }
}

/// Where a command writes arrays.
struct OutputDirectory {
  private let path: String

  /// Makes the directory when it is not there.
  init(_ path: String) throws(CommandFailure) {
    guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
      throw CommandFailure(.failure, "\(path) cannot be made: \(systemMessage(errno))")
    }
    self.path = path
  }

  func write(_ array: NumPyFile, name: String) throws(CommandFailure) {
    let file = "\(path)/\(name).npy"
    do throws(NumPyError) {
      try array.write(to: file)
    } catch {
      throw CommandFailure(.failure, "\(file): \(error.sentence)")
    }
  }
}

extension NumPyError {
  /// What went wrong with a file, after its name and a colon.
  var sentence: String {
    switch self {
    case .unreadable(.unreadableFile(let number)): "cannot be read: \(systemMessage(number))"
    case .unreadable: "ends before its header does"
    case .notAnArray: "is not a NumPy array"
    case .version(let major, let minor):
      "is in version \(major).\(minor) of the format, which is not known"
    case .headerTooLong(let byteCount, let limit):
      "has a header of \(byteCount) bytes; \(limit) are allowed"
    case .malformedHeader(let offset): "has a malformed header at byte \(offset)"
    case .missingKey(let key): "has a header without '\(key)'"
    case .elementType(let type): "holds elements of type '\(type)', which no tensor has"
    case .columnOrder: "is stored in column order; store it in row order"
    case .shape(let extents): "has a shape that no tensor has: \(extents)"
    case .byteCount(let expected, let actual):
      "should hold \(expected) bytes of elements and holds \(actual)"
    case .unwritable(let type): "cannot hold elements of type \(type)"
    case .unwritten(let number): "cannot be written: \(systemMessage(number))"
    }
  }
}
