package import SignedDocuments

/// What follows from a rollout's stage and what devices tell of it; decides, and does nothing.
package struct RolloutPlan: Sendable, Equatable {
  /// The parts of the fleet in hundredths of a percent, rising; the last one is everyone.
  package let stages: [Int64]

  package enum Step: Sendable, Equatable {
    case wait
    /// Held by a person, who alone lets it go on.
    case paused
    /// Widen it to this part.
    case advance(to: Int64)
    /// Take it back everywhere.
    case abort
    /// Everyone has it.
    case complete
    /// No rollout is under way: it was ended or taken back.
    case ended
  }

  /// - Parameter stages: parts of the fleet in hundredths of a percent; nil when they do not rise
  ///   or are no parts.
  package init?(stages: [Int64] = [100, 1_000, 5_000, DirectorDocument.everyone]) {
    let all =
      stages.last == DirectorDocument.everyone ? stages : stages + [DirectorDocument.everyone]
    guard all.allSatisfy({ (1...DirectorDocument.everyone).contains($0) }),
      zip(all, all.dropFirst()).allSatisfy(<)
    else { return nil }
    self.stages = all
  }

  /// The next step of the rollout that `document` is a stage of.
  package func step(
    _ document: DirectorDocument, _ assessment: RolloutController.Assessment
  ) -> Step {
    guard document.stage != nil else { return .ended }
    // What harms is taken back also while it is held.
    if assessment.verdict == .abort { return .abort }
    if document.isPaused { return .paused }
    guard assessment.verdict == .advance else { return .wait }
    guard let next = stages.first(where: { $0 > document.percent }) else { return .complete }
    return .advance(to: next)
  }
}
