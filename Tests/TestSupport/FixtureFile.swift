import Glibc

/// A file that a test needs and cannot read.
package struct MissingFixture: Error, CustomStringConvertible {
  package var path: String
  package var description: String { "cannot read \(path)" }
}

/// All bytes of the file at `path`.
package func readFile(_ path: String) throws -> [UInt8] {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw MissingFixture(path: path) }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 65536)
  while true {
    // Sound: the pointer and the count are those of `block`, which outlives the call.
    let count = unsafe read(descriptor, &block, block.count)
    guard count >= 0 else { throw MissingFixture(path: path) }
    guard count > 0 else { return bytes }
    bytes += block[..<count]
  }
}
