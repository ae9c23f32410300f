/// Which versions of a model serve at the same time.
package enum VersionPolicy: Sendable, Equatable {
  /// So many, the highest that can be loaded.
  case latest(Int)
  /// Each that can be loaded.
  case all
  /// These and no others.
  case specific([Int64])

  /// Versions of one model that serve at the same time, whatever the policy.
  package static let versionsMaximum = 64

  /// How many versions the policy asks for at most.
  package var count: Int {
    switch self {
    case .latest(let count): count
    case .all: Self.versionsMaximum
    case .specific(let versions): versions.count
    }
  }

  /// Whether `version` may serve at all.
  package func admits(_ version: Int64) -> Bool {
    if case .specific(let versions) = self { versions.contains(version) } else { true }
  }

  /// Those of `versions` that are to serve, when all of them can.
  package func selected(_ versions: some Sequence<Int64>) -> Set<Int64> {
    Set(versions.filter(admits).sorted(by: >).prefix(count))
  }
}
