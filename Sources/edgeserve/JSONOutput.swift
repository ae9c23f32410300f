import JSONDocuments

/// Prints one JSON document to stdout, its keys in a fixed order.
func printJSON(_ document: some Encodable) throws {
  print(String(decoding: try JSONDocument.encode(document), as: UTF8.self))
}
