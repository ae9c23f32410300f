/// A reference to one version; while it is held, the version stays loaded.
package final class VersionLease: Sendable {
  package let description: VersionDescription
  let loaded: LoadedVersion

  init(_ loaded: LoadedVersion) {
    description = loaded.description
    self.loaded = loaded
  }
}
