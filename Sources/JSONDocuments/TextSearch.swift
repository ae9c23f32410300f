extension String {
  /// Where `text` first stands, byte for byte; nil when it does not.
  ///
  /// The standard library's search brings its regular expressions into the program, a megabyte of them.
  package func firstPlace(of text: String) -> Range<Index>? {
    let wanted = Array(text.utf8)
    var start = utf8.startIndex
    while true {
      let rest = utf8[start...]
      if rest.starts(with: wanted) { return start..<utf8.index(start, offsetBy: wanted.count) }
      guard start < utf8.endIndex else { return nil }
      utf8.formIndex(after: &start)
    }
  }

  /// Whether `text` stands anywhere, byte for byte.
  package func holds(_ text: String) -> Bool { firstPlace(of: text) != nil }
}
