package import ByteParsing

/// Names of classes that lie behind a model in its own file.
///
/// TensorFlow Lite's metadata append associated files as an uncompressed ZIP archive, which readers of
/// the model pass over.
package enum TFLiteLabels {
  /// Bytes of a list of names, and names in it.
  package static let bytesMaximum = 1 << 20
  package static let labelsMaximum = 1 << 16
  /// Files of the archive.
  static let filesMaximum = 64
  /// Bytes of the archive's comment, behind all else.
  private static let commentMaximum = 1 << 16

  /// The lines of the first file whose name ends with `.txt` and speaks of labels; none where there is
  /// no such file, or what is there cannot be read. Any bytes may be given.
  package static func labels(in file: ByteView) -> [String] {
    (try? find(in: file)) ?? []
  }

  private static func find(in file: ByteView) throws(ParsingError) -> [String]? {
    guard let end = endRecord(file) else { return nil }
    let count = Int(try file.load(UInt16.self, at: end + 10))
    var place = Int(try file.load(UInt32.self, at: end + 16))
    for _ in 0..<min(count, filesMaximum) {
      guard try file.load(UInt32.self, at: place) == 0x0201_4B50 else { return nil }
      let method = try file.load(UInt16.self, at: place + 10)
      let size = Int(try file.load(UInt32.self, at: place + 24))
      let lengths = [
        Int(try file.load(UInt16.self, at: place + 28)),
        Int(try file.load(UInt16.self, at: place + 30)),
        Int(try file.load(UInt16.self, at: place + 32)),
      ]
      let local = Int(try file.load(UInt32.self, at: place + 42))
      let name = try text(file.slice(at: place + 46, count: lengths[0])).lowercased()
      if method == 0, size <= bytesMaximum, speaksOfLabels(name) {
        return try lines(file, local: local, size: size)
      }
      place += 46 + lengths.reduce(0, +)
    }
    return nil
  }

  private static func speaksOfLabels(_ name: String) -> Bool {
    let (letters, word) = (Array(name.utf8), Array("label".utf8))
    return name.hasSuffix(".txt")
      && letters.indices.contains { letters[$0...].starts(with: word) }
  }

  /// Where the archive's last record begins; nil when there is no archive.
  private static func endRecord(_ file: ByteView) -> Int? {
    // Sound: every place lies at least the record's 22 bytes before the end.
    unsafe file.withUnsafeBytes { bytes in
      var place = bytes.count - 22
      let last = max(0, place - commentMaximum)
      while place >= last {
        // Nearly all places end here.
        if unsafe bytes[place] == 0x50 {
          let signature = unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
          let comment = unsafe bytes.loadUnaligned(fromByteOffset: place + 20, as: UInt16.self)
          if UInt32(littleEndian: signature) == 0x0605_4B50,
            Int(UInt16(littleEndian: comment)) == bytes.count - place - 22
          {
            return place
          }
        }
        place -= 1
      }
      return nil
    }
  }

  private static func lines(
    _ file: ByteView, local: Int, size: Int
  ) throws(ParsingError) -> [String]? {
    guard try file.load(UInt32.self, at: local) == 0x0403_4B50 else { return nil }
    let head = 30 + Int(try file.load(UInt16.self, at: local + 26))
      + Int(try file.load(UInt16.self, at: local + 28))
    let content = try text(file.slice(at: local + head, count: size))
    var lines = content.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { line in
        let end = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        return String(decoding: end, as: UTF8.self)
      }
    if lines.last == "" { lines.removeLast() }
    return lines.count <= labelsMaximum ? lines : nil
  }

  private static func text(_ bytes: ByteView) -> String {
    // Sound: the bytes are lent for the call, and copied.
    unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
