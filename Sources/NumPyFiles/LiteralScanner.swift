/// Reads the few kinds of Python literal that an array file's header is made of.
struct LiteralScanner {
  private let text: [UInt8]
  private var position = 0

  init(_ text: [UInt8]) { self.text = text }

  /// The error that names the present position.
  var malformed: NumPyError { .malformedHeader(offset: position) }

  private mutating func skipSpace() {
    while position < text.count, [0x20, 0x0A, 0x09, 0x0D].contains(text[position]) {
      position += 1
    }
  }

  /// Passes `character` if it comes next.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < text.count, UInt32(text[position]) == character.value else { return false }
    position += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(NumPyError) {
    guard take(character) else { throw malformed }
  }

  /// Only space may follow.
  mutating func expectEnd() throws(NumPyError) {
    skipSpace()
    guard position == text.count else { throw malformed }
  }

  /// A quoted text without escapes.
  mutating func string() throws(NumPyError) -> String {
    skipSpace()
    guard position < text.count, text[position] == 0x27 || text[position] == 0x22 else {
      throw malformed
    }
    let quote = text[position]
    let rest = text[(position + 1)...]
    guard let end = rest.firstIndex(of: quote), !rest[..<end].contains(0x5C),
      let string = String(validating: rest[..<end], as: UTF8.self)
    else { throw malformed }
    position = end + 1
    return string
  }

  mutating func bool() throws(NumPyError) -> Bool {
    if word("True") { return true }
    if word("False") { return false }
    throw malformed
  }

  private mutating func word(_ word: String) -> Bool {
    skipSpace()
    guard text[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  /// Non-negative integers in parentheses; a single one is followed by a comma.
  mutating func tuple() throws(NumPyError) -> [Int] {
    try expect("(")
    var numbers: [Int] = []
    while !take(")") {
      numbers.append(try integer())
      guard take(",") else {
        guard numbers.count > 1 else { throw malformed }
        try expect(")")
        break
      }
    }
    return numbers
  }

  private mutating func integer() throws(NumPyError) -> Int {
    skipSpace()
    var value = 0
    let start = position
    while position < text.count, (0x30...0x39).contains(text[position]) {
      let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(Int(text[position] - 0x30))
      guard !overflowed, !overflow else { throw malformed }
      value = sum
      position += 1
    }
    guard position > start else { throw malformed }
    return value
  }
}
