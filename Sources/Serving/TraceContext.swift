/// Where a request belongs in a trace that spans programs.
///
/// Source: W3C Trace Context, `traceparent`, version 00.
package struct TraceContext: Sendable, Equatable {
  /// 32 hexadecimal digits.
  package var traceID: String
  /// 16 hexadecimal digits: the step that asks.
  package var parentID: String

  /// Reads the value of the field; nil for one that is none, which the standard wants passed over.
  package init?(_ value: String) {
    let bytes = Array(value.utf8)
    let dash = UInt8(ascii: "-")
    guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash else {
      return nil
    }
    let (version, trace) = (bytes[0..<2], bytes[3..<35])
    let (parent, flags) = (bytes[36..<52], bytes[53..<55])
    guard (version + trace + parent + flags).allSatisfy(Self.isDigit),
      !version.elementsEqual("ff".utf8), trace.contains(where: { $0 != 0x30 }),
      parent.contains(where: { $0 != 0x30 })
    else { return nil }
    // Later versions may say more behind another dash; this one may not.
    guard bytes.count == 55 || (!version.elementsEqual("00".utf8) && bytes[55] == dash) else {
      return nil
    }
    traceID = String(decoding: trace, as: UTF8.self)
    parentID = String(decoding: parent, as: UTF8.self)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
  }
}
