import Glibc
package import SignedDocuments

/// Files below a directory, each named by its topic: with a web server before it, a mirror.
package struct MirrorTree: Sendable {
  private let directory: String

  package init(_ directory: String) { self.directory = directory }

  /// Writes what a mirror is asked for of `archive`: releases, indexes and blocks. Blocks come before
  /// what says that they are there, and each file comes into being whole.
  ///
  /// - Returns: how many files are new, or were other than they are now.
  package func write(_ archive: ReleaseArchive) throws(PublishingError) -> Int {
    var written = 0
    for topic in archive.topics {
      switch topic {
      case .release, .index, .block: break
      default: continue
      }
      let payload: [UInt8]?
      do throws(ArchiveError) { payload = try archive.payload(topic) } catch {
        throw .archive(error)
      }
      guard let payload else { continue }
      // A topic's parts are tokens: none leads out of the directory.
      let path = "\(directory)/\(topic.name)"
      if let known = try? readFile(path, limit: payload.count), known == payload { continue }
      try makeParents(of: topic.name)
      try replaceFile(path, payload)
      written += 1
    }
    return written
  }

  /// Makes the directories of a file, which anyone may read.
  private func makeParents(of name: String) throws(PublishingError) {
    var path = directory
    for part in [""] + name.split(separator: "/").dropLast().map(String.init) {
      if !part.isEmpty { path += "/" + part }
      guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
        throw .file(path: path, errno: errno)
      }
    }
  }
}
