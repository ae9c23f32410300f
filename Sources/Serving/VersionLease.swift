/// A reference to one version; while it is held, the version stays loaded.
package final class VersionLease: Sendable {
  package let description: VersionDescription
  let holder: Holder
  let inputRules: InputRules
  /// Who answers when this version cannot.
  let fallback: Fallback
  /// What the request is run on besides; nil for nothing.
  let shadow: ShadowTarget?
  /// Whether this is a version of another model than the one that was asked for.
  let isStandIn: Bool

  /// What is held.
  enum Holder {
    case version(LoadedVersion)
    case composite(CompositeLease)
  }

  init(
    _ loaded: LoadedVersion, _ inputRules: InputRules, _ fallback: Fallback = Fallback(),
    shadow: ShadowTarget? = nil, isStandIn: Bool = false
  ) {
    self.shadow = shadow
    self.inputRules = inputRules
    self.fallback = fallback
    self.isStandIn = isStandIn
    description = loaded.description
    holder = .version(loaded)
  }

  init(_ composite: CompositeLease) {
    inputRules = InputRules()
    fallback = Fallback()
    shadow = nil
    isStandIn = false
    description = composite.bound.description
    holder = .composite(composite)
  }

  /// The model and the version that is held.
  package var pinned: PinnedVersion {
    PinnedVersion(model: description.model, version: description.version)
  }

  /// Distinguishes two loads of one version number.
  package var identity: UInt64 {
    switch holder {
    case .version(let loaded): loaded.id
    case .composite: 0
    }
  }

  var metrics: VersionMetrics {
    switch holder {
    case .version(let loaded): loaded.metrics
    case .composite(let composite): composite.entry.metrics
    }
  }
}
