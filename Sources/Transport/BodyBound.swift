/// What bounds the body of one request, as whoever knows its target says.
package struct BodyBound: Sendable, Equatable {
  package var bytesMaximum: Int
  /// Bytes that are made of each byte of the body.
  package var madePerByte: Int
  /// Bytes that are made of a whole body at most.
  package var madeMaximum: Int
  /// Whose bound it is, to follow the number of bytes in a sentence.
  package var reason: String

  package init(bytesMaximum: Int, madePerByte: Int, madeMaximum: Int, reason: String) {
    self.bytesMaximum = bytesMaximum
    self.madePerByte = madePerByte
    self.madeMaximum = madeMaximum
    self.reason = reason
  }

  /// Bytes that are made of `count` bytes of a body.
  func made(of count: Int) -> Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: madePerByte)
    return overflow ? madeMaximum : min(bytes, madeMaximum)
  }
}
