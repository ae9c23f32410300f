package import ByteParsing
package import Tensors

/// An array as NumPy stores it: little-endian elements in row order behind a short text header.
///
/// Source: NumPy Enhancement Proposal 1, format versions 1 to 3.
package struct NumPyFile: Sendable {
  package var dataType: DataType
  package var shape: Shape
  /// The packed elements.
  package var elements: ByteView

  /// - Precondition: `elements` holds as many bytes as the type and shape make.
  package init(dataType: DataType, shape: Shape, elements: ByteView) {
    precondition(TensorType(dataType, shape).byteCount == elements.count)
    self.dataType = dataType
    self.shape = shape
    self.elements = elements
  }

  /// Reads the array in `file`; its elements are a part of the same bytes.
  package init(file: ByteView) throws(NumPyError) {
    let (text, body) = try NumPyFile.parts(of: file)
    let header = try NumPyHeader(text)
    guard let byteCount = TensorType(header.dataType, header.shape).byteCount else {
      throw .shape(header.shape.extents)
    }
    guard body.count == byteCount else {
      throw .byteCount(expected: byteCount, actual: body.count)
    }
    dataType = header.dataType
    shape = header.shape
    elements = body
  }

  /// Maps and reads the file at `path`.
  package init(path: String) throws(NumPyError) {
    let file: MappedFile
    do throws(ParsingError) {
      file = try MappedFile(path: path)
    } catch {
      throw .unreadable(error)
    }
    try self.init(file: file.bytes)
  }

  /// The six bytes that every array file begins with.
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The text header and the elements behind it.
  private static func parts(of file: ByteView) throws(NumPyError) -> (ByteView, ByteView) {
    let start: [UInt8]
    do throws(ParsingError) {
      start = try file.slice(at: 0, count: magic.count + 2).array
    } catch {
      throw .unreadable(error)
    }
    guard start.starts(with: magic) else { throw .notAnArray }
    let (major, minor) = (start[6], start[7])
    guard (1...3).contains(major), minor == 0 else { throw .version(major: major, minor: minor) }
    let lengthBytes = major == 1 ? 2 : 4
    do throws(ParsingError) {
      let length =
        major == 1
        ? Int(try file.load(UInt16.self, at: 8)) : Int(try file.load(UInt32.self, at: 8))
      let end = 8 + lengthBytes + length
      let text = try file.slice(at: 8 + lengthBytes, count: length)
      return (text, try file.slice(at: end, count: file.count - end))
    } catch {
      throw .unreadable(error)
    }
  }
}
