import Synchronization
import Tensors

/// Answers of one version to requests that were asked before, within a bound of bytes; the least
/// recently used make room.
///
/// Keys are compared whole: a request is answered from here only when every byte of it is the same.
final class ResponseCache: Sendable {
  /// All that an answer depends on; the version is the owner's own.
  fileprivate struct Key: Hashable {
    var names: [String]
    var extents: [[Int]]
    var bytes: [[UInt8]]
    var outputs: [String]?

    init(_ request: InferenceRequest) {
      names = request.inputs.map(\.name)
      extents = request.inputs.map(\.shape.extents)
      bytes = request.inputs.map(\.bytes)
      outputs = request.outputNames
    }
  }

  fileprivate struct Entry {
    var response: InferenceResponse
    var byteCount: Int
    /// When it was used last, by the count of uses.
    var used: UInt64
  }

  fileprivate struct State {
    var entries: [Key: Entry] = [:]
    /// Uses in their order; of one key the last counts.
    var uses = FIFO<(key: Key, used: UInt64)>()
    var byteCount = 0
    var count: UInt64 = 0
  }

  /// Bytes that an entry takes besides tensors: names, shapes, tables.
  private static let entryBytes = 512

  private let bytesMaximum: Int
  private let state = Mutex(State())

  init(bytesMaximum: Int) { self.bytesMaximum = bytesMaximum }

  func find(_ request: InferenceRequest) -> InferenceResponse? {
    let key = Key(request)
    return state.withLock { state in
      guard let response = state.entries[key]?.response else { return nil }
      state.use(key)
      return response
    }
  }

  func store(_ request: InferenceRequest, _ response: InferenceResponse) {
    let byteCount =
      Self.entryBytes + request.inputs.reduce(0) { $0 + $1.bytes.count }
      + response.outputs.reduce(0) { $0 + $1.bytes.count }
    guard byteCount <= bytesMaximum else { return }
    let key = Key(request)
    state.withLock { state in
      guard state.entries[key] == nil else { return }
      while state.byteCount + byteCount > bytesMaximum { state.dropOldest() }
      state.entries[key] = Entry(response: response, byteCount: byteCount, used: 0)
      state.byteCount += byteCount
      state.use(key)
    }
  }

  var byteCount: Int { state.withLock { $0.byteCount } }
}

extension ResponseCache.State {
  fileprivate mutating func use(_ key: ResponseCache.Key) {
    count += 1
    entries[key]?.used = count
    uses.append((key, count))
    // Uses that others have followed are forgotten before they outnumber the entries.
    if uses.count > 2 * entries.count + 16 {
      _ = uses.remove { entries[$0.key]?.used != $0.used }
    }
  }

  fileprivate mutating func dropOldest() {
    while let use = uses.popFirst() {
      guard let entry = entries[use.key], entry.used == use.used else { continue }
      entries[use.key] = nil
      byteCount -= entry.byteCount
      return
    }
  }
}
