import Glibc
import ModelDelivery
import SignedDocuments

/// A directory of releases in files, as `edgeserve publish --to` writes them: a source of releases,
/// indexes and blocks that is asked before the broker, and no more believed.
///
/// Used by one thread.
final class MirrorDirectory: ReleaseMirror {
  private let path: String
  private var archive: ReleaseArchive?
  /// Files that gave what was not believed.
  private var banned: Set<String> = []
  private var lookedAt: Int64 = .min

  init(_ path: String) { self.path = path }

  /// The message of `topic`; elsewhere when no file has it, or it is one that the broker alone tells.
  func take(_ topic: String) -> MirrorAnswer { payload(topic).map { .payload($0) } ?? .elsewhere }

  private func payload(_ topic: String) -> [UInt8]? {
    switch Topic(topic) {
    case .release, .index, .block: break
    default: return nil
    }
    if let archive, archive.has(topic) {
      if let payload = archive.take(topic) { return payload }
      // Asked for a second time, because the first answer was not what was signed.
      banned.insert(archive.path)
      self.archive = nil
    }
    let now = DeliveryClock.now().milliseconds
    guard lookedAt == .min || now - lookedAt >= AgentLimits.mirrorMilliseconds || archive == nil
    else { return nil }
    lookedAt = now
    archive = files().lazy.compactMap { try? ReleaseArchive($0) }.first { $0.has(topic) }
    return archive?.take(topic)
  }

  func giveBack(_ topic: String) { archive?.giveBack(topic) }

  /// The files that may be asked, by name.
  private func files() -> [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while names.count < AgentLimits.mirrorFilesMaximum, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".release") { names.append(name) }
    }
    return names.sorted(by: >).map { "\(path)/\($0)" }.filter { !banned.contains($0) }
  }
}
