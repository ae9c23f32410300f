import Glibc

/// Why a file is no release that can be installed.
package enum ArchiveError: Error, Equatable, Sendable {
  /// A call on the file failed with `errno`.
  case unreadable(path: String, errno: Int32)
  /// The file does not begin as one does.
  case notAnArchive(path: String)
  /// The file ends, or is broken, at this byte.
  case malformed(path: String, offset: Int)
  case tooManyMessages(path: String, limit: Int)
  /// The file names no model, or more than one.
  case directors(path: String, count: Int)
}

/// The messages of a release in a file, each read when it is asked for; nothing in it is believed.
///
/// Used by one thread. The file is read, not mapped: a stick that is pulled out is an error, not a
/// signal.
package final class ReleaseArchive {
  /// Bytes that the places of the largest file take.
  package static let bytesMaximum = ArchiveFormat.messagesMaximum * MemoryLayout<Place>.stride

  private struct Place {
    var offset: Int64
    private var bytes: Int32
    var isTaken = false

    init(offset: Int64, count: Int) {
      self.offset = offset
      bytes = Int32(count)
    }

    var count: Int { Int(bytes) }
  }

  package let path: String
  private let file: Int32
  private var documents: [Topic: Place] = [:]
  /// By object, the place of each block; of no bytes where there is none.
  private var blocks: [String: [Place]] = [:]
  /// Places in `blocks`.
  private var slots = 0

  package init(_ path: String) throws(ArchiveError) {
    self.path = path
    file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .unreadable(path: path, errno: errno) }
    var status = stat()
    // Sound: the pointer is to a local variable of the type that the call fills.
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .notAnArchive(path: path)
    }
    guard try read(at: 0, count: ArchiveFormat.magic.count) == ArchiveFormat.magic else {
      throw .notAnArchive(path: path)
    }
    try findMessages(fileBytes: Int(status.st_size))
  }

  deinit { close(file) }

  /// The director's topic, and the target that it names, unverified.
  package func director() throws(ArchiveError) -> (topic: Topic, model: String, version: Int64) {
    let topics = documents.keys.filter { if case .director = $0 { true } else { false } }
    guard topics.count == 1, let topic = topics.first, case .director(_, let model) = topic else {
      throw .directors(path: path, count: topics.count)
    }
    guard let place = documents[topic],
      let message = try? SignedMessage(read(at: place.offset, count: place.count), role: .director),
      let document = try? DirectorDocument.decode(message.payload)
    else { throw .malformed(path: path, offset: Int(documents[topic]?.offset ?? 0)) }
    return (topic, model, document.target.sequence)
  }

  /// The payload of `topic`, once: who asks again did not believe it, and is to ask elsewhere.
  package func take(_ topic: String) -> [UInt8]? {
    guard let topic = Topic(topic), let place = place(topic), !place.isTaken,
      let payload = try? read(at: place.offset, count: place.count),
      payload.count == place.count
    else { return nil }
    mark(topic, isTaken: true)
    return payload
  }

  /// Everything that the file holds, in the order in which a publisher sends it: documents and
  /// blocks first, then what says that they are there.
  package var topics: [Topic] {
    func rank(_ topic: Topic) -> Int {
      switch topic {
      case .root: 0
      case .block: 1
      case .index: 2
      case .seal: 3
      case .release: 4
      default: 5
      }
    }
    let fleet = documents.keys.first?.fleet ?? ""
    let blocks = blocks.flatMap { object, places in
      places.indices.filter { places[$0].count > 0 }.map {
        Topic.block(fleet: fleet, objectID: object, block: $0)
      }
    }
    return (Array(documents.keys) + blocks).sorted { (rank($0), $0.name) < (rank($1), $1.name) }
  }

  /// The payload of `topic`; nil when the file does not hold it.
  package func payload(_ topic: Topic) throws(ArchiveError) -> [UInt8]? {
    guard let place = place(topic) else { return nil }
    return try read(at: place.offset, count: place.count)
  }

  /// Whether the file holds `topic`, taken or not.
  package func has(_ topic: String) -> Bool { Topic(topic).flatMap(place) != nil }

  /// Takes back what nobody looked at: it can be taken again.
  package func giveBack(_ topic: String) {
    if let topic = Topic(topic) { mark(topic, isTaken: false) }
  }

  private func place(_ topic: Topic) -> Place? {
    guard case .block(_, let object, let block) = topic else { return documents[topic] }
    guard let places = blocks[object], block < places.count, places[block].count > 0 else {
      return nil
    }
    return places[block]
  }

  private func mark(_ topic: Topic, isTaken: Bool) {
    guard place(topic) != nil else { return }
    if case .block(_, let object, let block) = topic {
      blocks[object]?[block].isTaken = isTaken
    } else {
      documents[topic]?.isTaken = isTaken
    }
  }

  private func findMessages(fileBytes: Int) throws(ArchiveError) {
    var offset = ArchiveFormat.magic.count
    for _ in 0...ArchiveFormat.messagesMaximum {
      let bytes = try read(
        at: Int64(offset), count: ArchiveFormat.headerBytes + ArchiveFormat.topicBytes)
      guard let header = ArchiveFormat.Header(bytes) else {
        throw .malformed(path: path, offset: offset)
      }
      if header.isEnd { return }
      let start = ArchiveFormat.headerBytes
      let payload = offset + start + header.topicBytes
      guard bytes.count >= start + header.topicBytes,
        fileBytes - payload >= header.payloadBytes,
        let topic = Topic(
          String(decoding: bytes[start..<start + header.topicBytes], as: UTF8.self)),
        enter(topic, Place(offset: Int64(payload), count: header.payloadBytes))
      else { throw .malformed(path: path, offset: offset) }
      offset = payload + header.payloadBytes
    }
    throw .tooManyMessages(path: path, limit: ArchiveFormat.messagesMaximum)
  }

  /// False when the topic was there before, or is none that a publisher writes.
  private func enter(_ topic: Topic, _ place: Place) -> Bool {
    switch topic {
    case .block(_, let object, let block):
      let missing = block + 1 - blocks[object, default: []].count
      // A file of few bytes must not ask for much memory.
      guard place.count > 0, slots + max(0, missing) <= ArchiveFormat.messagesMaximum else {
        return false
      }
      if missing > 0 {
        slots += missing
        blocks[object, default: []] += Array(
          repeating: Place(offset: 0, count: 0), count: missing)
      }
      guard blocks[object]?[block].count == 0 else { return false }
      blocks[object]?[block] = place
      return true
    case .root, .director, .release, .index, .seal:
      return documents.updateValue(place, forKey: topic) == nil
    default: return false
    }
  }

  private func read(at offset: Int64, count: Int) throws(ArchiveError) -> [UInt8] {
    var done = 0
    var failure: Int32?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while done < count {
        // Sound: the call writes at most what is left of the buffer.
        let got = unsafe pread(
          file, buffer.baseAddress! + done, count - done, off_t(offset) + done)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        done += got
      }
      initialized = done
    }
    if let failure { throw .unreadable(path: path, errno: failure) }
    return bytes
  }
}
