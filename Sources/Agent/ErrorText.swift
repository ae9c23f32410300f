import Glibc

/// The system's words for an error number.
package enum ErrorText {
  package static func of(_ number: Int32) -> String {
    // Sound: the C library returns a string that lives as long as the thread makes no further call.
    unsafe String(cString: strerror(number))
  }
}
