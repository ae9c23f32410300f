/// A reference to one version; while it is held, the version stays loaded.
package final class VersionLease: Sendable {
  package let description: VersionDescription
  let loaded: LoadedVersion
  let inputRules: InputRules

  init(_ loaded: LoadedVersion, _ inputRules: InputRules) {
    self.inputRules = inputRules
    description = loaded.description
    self.loaded = loaded
  }
}
