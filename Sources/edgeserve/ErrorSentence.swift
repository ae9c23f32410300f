import ByteParsing
import NumPyFiles
import TensorJSON
import Tensors

/// What is wrong with what a person typed or a file holds, in words that follow a colon.
enum ErrorSentence {
  static func of(_ error: JSONError) -> String {
    switch error {
    case .empty: "there is nothing"
    case .unexpectedEnd(let offset): "it ends at byte \(offset), before it is complete"
    case .unexpectedByte(let offset): "byte \(offset) begins nothing that JSON allows there"
    case .invalidString(let offset): "the text at byte \(offset) is broken"
    case .invalidNumber(let offset): "the number at byte \(offset) is malformed"
    case .tooDeep(let limit, let offset):
      "more than \(limit) lists lie in each other at byte \(offset)"
    case .stringTooLong(let limit, let offset):
      "the text at byte \(offset) is longer than \(limit) bytes"
    case .wrongKind(let expected, let actual, let offset):
      "at byte \(offset) stands a JSON \(actual.rawValue) where a JSON \(expected.rawValue) belongs"
    case .wrongElement(let expected, let actual, let offset):
      "the JSON \(actual.rawValue) at byte \(offset) is no \(expected) element"
    case .notInteger(let expected, let offset):
      "the number at byte \(offset) is no integer, and the input takes \(expected)"
    case .outOfRange(let expected, let offset):
      "the number at byte \(offset) is out of the range of \(expected)"
    case .ragged(_, let expected, let actual, let offset):
      "the list that ends at byte \(offset) has \(actual) elements where others have \(expected)"
    case .wrongLevel(let expected, let actual, let offset):
      "the element at byte \(offset) lies under \(actual) lists where others lie under \(expected)"
    case .tooManyElements(let limit, let offset): "more than \(limit) elements at byte \(offset)"
    case .unsupportedType(let type): "elements of type \(type) have no form in JSON"
    }
  }

  static func of(_ error: NumPyError) -> String {
    switch error {
    case .unreadable(.unreadableFile(let errno)): systemMessage(errno)
    case .unreadable: "it ends before its header does"
    case .notAnArray: "it is no NumPy array file"
    case .version(let major, let minor):
      "its format is version \(major).\(minor), and only 1 to 3 are read"
    case .headerTooLong(let byteCount, let limit):
      "its header of \(byteCount) bytes is longer than \(limit)"
    case .malformedHeader(let offset): "its header is malformed at byte \(offset)"
    case .missingKey(let key): "its header lacks '\(key)'"
    case .elementType(let type): "no tensor has elements of type '\(type)'"
    case .columnOrder: "it is stored column by column; save it with order='C'"
    case .shape(let extents): "its shape \(extents) is more than a tensor can have"
    case .byteCount(let expected, let actual):
      "it holds \(actual) bytes of elements where its header says \(expected)"
    case .unwritable(let type): "an array file cannot hold elements of type \(type)"
    case .unwritten(let errno): "it cannot be written (\(systemMessage(errno)))"
    }
  }
}
