/// The memory that the kernel holds for this process at the moment.
struct ResidentMemory: Sendable, Equatable {
  /// Anonymous, file-backed and shared pages.
  var bytes = 0
  var anonymousBytes = 0

  /// Reads `/proc/self/status`; zeros where there is none.
  static func ofThisProcess() -> ResidentMemory {
    guard let bytes = try? WholeFile.read("/proc/self/status", maximum: 64 * 1024) else {
      return ResidentMemory()
    }
    return ResidentMemory(parsing: bytes)
  }

  init() {}

  init(parsing bytes: [UInt8]) {
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let text = String(decoding: line, as: UTF8.self)
      if text.hasPrefix("VmRSS:") { self.bytes = Self.kibibytes(text) * 1024 }
      if text.hasPrefix("RssAnon:") { anonymousBytes = Self.kibibytes(text) * 1024 }
    }
  }

  private static func kibibytes(_ line: String) -> Int {
    Int(line.filter { $0.isASCII && $0.isNumber }) ?? 0
  }
}
