import Synchronization

/// Memory of apps that requests may name in place of sending bytes.
///
/// Names are given here and cannot be guessed; a region is found by the user who handed it over
/// alone, and for as long as the connection that brought it.
package final class TensorRegions: Sendable {
  /// Regions of one connection.
  package static let perConnectionMaximum = 16

  /// A region as its owner sees it.
  package struct Region: Sendable {
    package var name: String
    package var memory: TensorMemory
    /// The user that handed it over.
    fileprivate var user: UInt32
    fileprivate var connection: UInt64
  }

  private struct State {
    var regions: [String: Region] = [:]
    var isOffered = false
  }

  private let state = Mutex(State())

  init() {}

  /// Whether somebody takes regions.
  package var isOffered: Bool { state.withLock { $0.isOffered } }

  /// From now on somebody does.
  package func offer() { state.withLock { $0.isOffered = true } }

  /// Makes `memory` known, and gives its name; nil when the connection has as many as it may.
  package func register(
    _ memory: TensorMemory, user: UInt32, connection: UInt64
  ) -> String? {
    var random = SystemRandomNumberGenerator()
    let name = "region-" + [random.next(), random.next()].map(Self.hexadecimal).joined()
    return state.withLock { state in
      let count = state.regions.values.reduce(0) { $0 + ($1.connection == connection ? 1 : 0) }
      guard count < Self.perConnectionMaximum else { return nil }
      state.regions[name] = Region(
        name: name, memory: memory, user: user, connection: connection)
      return name
    }
  }

  /// Forgets a region of the connection; false when it has none of that name. Requests under way that
  /// name it are answered.
  package func unregister(_ name: String, connection: UInt64) -> Bool {
    let region = state.withLock { state -> Region? in
      guard state.regions[name]?.connection == connection else { return nil }
      return state.regions.removeValue(forKey: name)
    }
    return region != nil
  }

  /// The connection has ended, and its regions with it.
  package func leave(connection: UInt64) {
    // Let go outside of the lock: the end of a region closes its file.
    let gone = state.withLock { state in
      let gone = state.regions.values.filter { $0.connection == connection }
      for region in gone { state.regions[region.name] = nil }
      return gone
    }
    _ = consume gone
  }

  /// The memory of a region that `user` handed over.
  package func memory(_ name: String, user: UInt32?) -> TensorMemory? {
    state.withLock { state in
      guard let region = state.regions[name], region.user == user else { return nil }
      return region.memory
    }
  }

  /// The regions of `user`, by name.
  package func regions(of user: UInt32?) -> [Region] {
    state.withLock { $0.regions.values.filter { $0.user == user } }.sorted { $0.name < $1.name }
  }

  private static func hexadecimal(_ number: UInt64) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
