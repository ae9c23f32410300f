import Glibc

/// What the system says an `errno` means.
func systemMessage(_ number: Int32) -> String {
  // Sound: `strerror` gives a terminated string, which is copied at once; one thread runs commands.
  unsafe String(cString: strerror(number))
}
