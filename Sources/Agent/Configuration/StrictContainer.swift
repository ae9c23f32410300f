/// A key of whatever name.
private struct AnyKey: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }

  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// A container all of whose keys are known.
  ///
  /// - Throws: `AgentError.unknownKey` for the first key that is not.
  func strictContainer<Key: CodingKey & CaseIterable>(
    keyedBy _: Key.Type
  ) throws -> KeyedDecodingContainer<Key> {
    let known = Key.allCases.map(\.stringValue)
    for key in try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    where !known.contains(key) {
      let prefix = codingPath.map { $0.stringValue + "." }.joined()
      throw AgentError.unknownKey(
        key: prefix + key, nearest: NearestKey.find(key, among: known).map { prefix + $0 })
    }
    return try container(keyedBy: Key.self)
  }
}

/// Finds the key that was probably meant.
enum NearestKey {
  /// The known key with the fewest edits to `key`, when they are fewer than half its length.
  static func find(_ key: String, among known: [String]) -> String? {
    let ranked = known.map { (edits: distance(Array(key.utf8), Array($0.utf8)), key: $0) }
    guard let best = ranked.min(by: { $0.edits < $1.edits }) else { return nil }
    return best.edits * 2 <= max(key.utf8.count, best.key.utf8.count) ? best.key : nil
  }

  /// The Levenshtein distance, one row at a time.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, right) in b.enumerated() {
        let substitution = diagonal + (left == right ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
