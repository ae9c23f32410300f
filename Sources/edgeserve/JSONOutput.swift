import FoundationEssentials

/// Prints one JSON document to stdout, its keys in a fixed order.
func printJSON(_ document: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(document), as: UTF8.self))
}
