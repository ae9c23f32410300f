/// A tar archive of small files, in POSIX's ustar format.
struct TarArchive {
  private static let blockBytes = 512
  private static let nameBytesMaximum = 100

  private(set) var bytes: [UInt8] = []
  private let seconds: Int

  /// - Parameter seconds: the time of every file, since 1970.
  init(seconds: Int) { self.seconds = max(0, seconds) }

  /// - Precondition: the name has at most 100 bytes.
  mutating func append(_ name: String, _ content: [UInt8]) {
    precondition(name.utf8.count <= Self.nameBytesMaximum)
    var header = [UInt8](repeating: 0, count: Self.blockBytes)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ number: Int, _ digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(name, at: 0)
    put(octal(0o600, 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    put(octal(content.count, 11), at: 124)
    put(octal(seconds, 11), at: 136)
    // The checksum counts its own field as blanks.
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
    header[154] = 0
    bytes += header + content
    bytes += [UInt8](
      repeating: 0, count: (Self.blockBytes - content.count % Self.blockBytes) % Self.blockBytes)
  }

  /// The archive with its end.
  var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 2 * Self.blockBytes) }
}
