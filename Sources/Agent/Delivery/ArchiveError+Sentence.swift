package import SignedDocuments

extension ArchiveError {
  /// One sentence for people.
  package var sentence: String {
    switch self {
    case .unreadable(let path, let errno):
      "\(path) cannot be read (\(ErrorText.of(errno)))."
    case .notAnArchive(let path):
      "\(path) is no release in a file; make one with `edgeserve publish --to`."
    case .malformed(let path, let offset):
      "\(path) is cut off or damaged at byte \(offset); copy it again."
    case .tooManyMessages(let path, let limit):
      "\(path) holds more than \(limit) messages."
    case .directors(let path, let count):
      "\(path) holds \(count) director documents; it must hold one."
    }
  }
}
