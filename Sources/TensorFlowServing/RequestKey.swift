internal import Serving
internal import TensorJSON

/// The field `request_key` of a request's body, which this server reads beside those of the protocol;
/// nil when there is none, or none that can be read.
func requestKey(_ body: [UInt8]) -> String? {
  var reader = JSONReader(body)
  do throws(JSONError) {
    try reader.openObject()
    while let name = try reader.nextKey() {
      if name == RequestTerms.keyParameter { return try reader.readString() }
      try reader.skipValue()
    }
  } catch {
    // Whoever reads the request says what is wrong with it.
  }
  return nil
}
