/// A reference to one version; while it is held, the version stays loaded.
package final class VersionLease: Sendable {
  package let description: VersionDescription
  let loaded: LoadedVersion
  let inputRules: InputRules
  /// Who answers when this version cannot.
  let fallback: Fallback
  /// What the request is run on besides; nil for nothing.
  let shadow: ShadowTarget?
  /// Whether this is a version of another model than the one that was asked for.
  let isStandIn: Bool

  init(
    _ loaded: LoadedVersion, _ inputRules: InputRules, _ fallback: Fallback = Fallback(),
    shadow: ShadowTarget? = nil, isStandIn: Bool = false
  ) {
    self.shadow = shadow
    self.inputRules = inputRules
    self.fallback = fallback
    self.isStandIn = isStandIn
    description = loaded.description
    self.loaded = loaded
  }
}
