/// How many requests of a version are run side by side, as status shows it.
package struct InstanceCount: Sendable, Equatable {
  /// As the configuration says.
  package var wanted: Int
  /// Whether inferences follow upon each other and share a state, so that there is one instance.
  package var isStateful: Bool

  package init(wanted: Int = 1, isStateful: Bool = false) {
    self.wanted = wanted
    self.isStateful = isStateful
  }

  package var count: Int { isStateful ? 1 : wanted }

  /// Why there are fewer than were wanted; nil when there are not.
  package var refusal: String? {
    guard count < wanted else { return nil }
    return "the model has a state, so that its inferences follow upon each other: 1 of \(wanted)"
  }
}
