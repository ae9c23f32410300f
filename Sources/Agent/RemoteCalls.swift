import Glibc
package import Serving
package import Transport

/// A server of remote procedure calls on a socket of its own, beside those of HTTP.
package protocol RemoteCallServer: Sendable {
  /// Stops accepting, lets calls under way finish within the bound, and closes what is left.
  func shutdown(drainMilliseconds: Int)
}

/// What such a server is opened with.
package struct RemoteCallSettings: Sendable {
  package var place: SocketPlace
  /// Bytes of the largest request that is taken now.
  package var messageBytes: @Sendable () -> Int
  /// Larger ones are read on a compute thread.
  package var messageBytesInline: Int
  package var memory: any ConnectionMemory
  package var refusals: RefusalCounter
  package var thread: EventLoopThread
  package var service: InferenceService
  /// Counts one request of a caller, and gives the milliseconds that it must wait when that was one
  /// too many.
  package var pause: @Sendable (PeerCredentials?) -> Int?
  package var administration: LocalAdministration
}

/// What may be done by hand to local models and to settings, and by whom.
package struct LocalAdministration: Sendable {
  private let stores: LocalStores
  private let current: CurrentConfiguration
  /// What the log and traces are set to.
  package let settings: RuntimeSettings

  init(_ stores: LocalStores, _ current: CurrentConfiguration, _ settings: RuntimeSettings) {
    self.settings = settings
    self.stores = stores
    self.current = current
  }

  /// Whoever could open the admin socket, whose file only its owner and root can.
  package func isAllowed(_ peer: PeerCredentials?) -> Bool {
    peer.map { $0.userID == geteuid() || $0.userID == 0 } ?? false
  }

  /// Loads the highest version at the path of `model` now, and says how it went.
  package func load(
    _ model: String, completion: @escaping @Sendable (RepositoryRefusal?) -> Void
  ) {
    stores.load(model) { result in
      switch result {
      case .success: completion(nil)
      case .failure(let refusal): completion(refusal)
      }
    }
  }

  /// Puts `models` in place of all local models, when every version that they ask for can be
  /// served, and changes nothing otherwise.
  package func replace(
    _ models: [String: LocalModel], completion: @escaping @Sendable (RepositoryRefusal?) -> Void
  ) {
    var configuration = current.value
    configuration.models = models
    do throws(AgentError) {
      try configuration.validate()
    } catch {
      return completion(.invalid(error))
    }
    stores.replace(models) { [current] result in
      switch result {
      case .success:
        current.replace(models)
        completion(nil)
      case .failure(let refusal): completion(refusal)
      }
    }
  }

  /// Takes every version of `model` out of service until it is asked for again.
  package func unload(_ model: String) -> RepositoryRefusal? { stores.unload(model) }
}
