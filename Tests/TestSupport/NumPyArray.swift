/// The content of a little-endian, C-ordered `.npy` file of format 1.
package struct NumPyArray: Equatable, Sendable {
  /// NumPy's name of the element type, such as `|i1`, `|u1` or `<f4`.
  package var elementType: String
  package var shape: [Int]
  /// Row-major elements.
  package var bytes: [UInt8]

  /// Reads the file at `path`; throws `MissingFixture` when it is absent or of another form.
  package init(path: String) throws {
    let file = try readFile(path)
    guard file.count >= 10, file[0] == 0x93, file[1..<6].elementsEqual("NUMPY".utf8), file[6] == 1
    else { throw MissingFixture(path: path) }
    let start = 10 + Int(file[8]) + Int(file[9]) << 8
    guard start <= file.count else { throw MissingFixture(path: path) }
    let header = String(decoding: file[10..<start], as: UTF8.self)
    guard let type = Self.value(of: "descr", in: header, between: "'", and: "'"),
      let extents = Self.value(of: "shape", in: header, between: "(", and: ")")
    else { throw MissingFixture(path: path) }
    elementType = type
    shape = extents.split(separator: ",").compactMap { Int($0.filter(\.isNumber)) }
    bytes = Array(file[start...])
  }

  /// The elements of a one-byte type as signed numbers.
  package var int8: [Int8] { bytes.map { Int8(bitPattern: $0) } }

  /// The elements of a `<f4` array.
  package var float32: [Float] {
    stride(from: 0, to: bytes.count - 3, by: 4).map { at in
      let pattern = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
      return Float(bitPattern: pattern)
    }
  }

  private static func value(
    of key: String, in header: String, between open: Character, and close: Character
  ) -> String? {
    let quoted = Array("'\(key)':")
    let text = Array(header)
    guard text.count > quoted.count else { return nil }
    for start in 0..<(text.count - quoted.count)
    where text[start..<(start + quoted.count)].elementsEqual(quoted) {
      guard let from = text[(start + quoted.count)...].firstIndex(of: open),
        let to = text[(from + 1)...].firstIndex(of: close)
      else { return nil }
      return String(text[(from + 1)..<to])
    }
    return nil
  }
}
