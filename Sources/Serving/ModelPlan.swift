/// What one model is to serve: its versions, and the labels that point at them.
package struct ModelPlan: Sendable, Equatable {
  package var model: String
  package var policy: VersionPolicy
  package var labels: [String: Int64]
  package var canary: Canary?
  package var shadow: Shadow?
  package var inputRules: InputRules
  package var fallback: Fallback
  /// All that serve from then on.
  package var versions: [VersionSource]

  package init(
    model: String, policy: VersionPolicy, labels: [String: Int64] = [:], canary: Canary? = nil,
    inputRules: InputRules = InputRules(), fallback: Fallback = Fallback(), versions: [VersionSource]
  ) {
    self.inputRules = inputRules
    self.fallback = fallback
    self.canary = canary
    self.model = model
    self.policy = policy
    self.labels = labels
    self.versions = versions
  }
}

/// Why a plan was not put into force; nothing has changed then.
package struct PlanFailure: Error, Sendable, Equatable {
  /// The version that cannot be brought into service.
  package var model: String
  package var version: Int64
  package var cause: LoadFailure

  package init(model: String, version: Int64, cause: LoadFailure) {
    self.model = model
    self.version = version
    self.cause = cause
  }
}
