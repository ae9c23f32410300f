/// The names that may stand in a topic or a path: 1 to 64 of `A-Z a-z 0-9 _ -`.
package enum Token {
  /// Whether `text` is such a name.
  package static func isValid(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    return (1...DocumentLimits.tokenBytes).contains(bytes.count) && bytes.allSatisfy(isCharacter)
  }

  /// Whether `text` names an object: 22 characters of base64url.
  package static func isObjectID(_ text: some StringProtocol) -> Bool {
    text.utf8.count == DocumentLimits.objectIDCharacters && isValid(text)
  }

  /// Whether `text` may name a file of a bundle: token characters and inner dots.
  package static func isFileName(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    return (1...DocumentLimits.fileNameBytes).contains(bytes.count)
      && bytes.first != UInt8(ascii: ".")
      && bytes.allSatisfy { isCharacter($0) || $0 == UInt8(ascii: ".") }
  }

  private static func isCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
