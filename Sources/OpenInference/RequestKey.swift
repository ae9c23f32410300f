internal import Serving
internal import TensorJSON

/// The parameter `request_key` of an inference request; nil when there is none, or none that can be
/// read.
///
/// - Parameter headerLength: Bytes of the JSON document; nil when it is the whole body.
func requestKey(_ body: [UInt8], headerLength: Int?) -> String? {
  let header = headerLength ?? body.count
  guard header > 0, header <= body.count else { return nil }
  var reader = JSONReader(header == body.count ? body : Array(body[..<header]))
  do throws(JSONError) {
    try reader.openObject()
    while let key = try reader.nextKey() {
      guard key == "parameters" else {
        try reader.skipValue()
        continue
      }
      try reader.openObject()
      while let name = try reader.nextKey() {
        if name == RequestTerms.keyParameter { return try reader.readString() }
        try reader.skipValue()
      }
    }
  } catch {
    // Whoever reads the request says what is wrong with it.
  }
  return nil
}
