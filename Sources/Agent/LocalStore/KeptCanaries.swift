import Serving
import Synchronization

/// Keeps the canaries of local models over restarts: what somebody began or ended by hand, and what
/// their guard took back.
final class KeptCanaries: Sendable {
  private struct State {
    /// As the file has them.
    var entries: [String: CanaryFile.Entry]
    /// What the configuration said when each model was declared last, and what it was declared with.
    var declared: [String: (configured: Canary?, canary: Canary?)] = [:]
  }

  private let file: CanaryFile?
  private let state: Mutex<State>

  init(_ file: CanaryFile?) {
    self.file = file
    state = Mutex(State(entries: file?.read() ?? [:]))
  }

  /// The canary that a model is to be declared with; what is named again as it was leaves alone what
  /// was done by hand since.
  ///
  /// - Parameter configured: what the configuration says.
  /// - Returns: the canary, and why it was taken back already, if it was.
  func canary(
    of model: String, configured: Canary?
  ) -> (canary: Canary?, reverted: CanaryCause?) {
    state.withLock { state in
      if let before = state.declared[model], before.configured == configured {
        return (before.canary, nil)
      }
      let isFirst = state.declared[model] == nil
      guard isFirst, let kept = state.entries[model], kept.configured?.canary == configured else {
        state.declared[model] = (configured, configured)
        return (configured, nil)
      }
      state.declared[model] = (configured, kept.canary?.canary)
      return (kept.canary?.canary, kept.reverted?.cause)
    }
  }

  /// Writes down what has changed.
  func save(_ models: [String: LocalModel], _ service: InferenceService) {
    guard let file else { return }
    var entries: [String: CanaryFile.Entry] = [:]
    for (name, model) in models {
      let status = service.canary(of: name)
      // A canary that is as the configuration says needs no note.
      guard status?.canary != model.canary || status?.reverted != nil else { continue }
      entries[name] = CanaryFile.Entry(
        configured: model.canary.map(CanaryDocument.init),
        canary: status.map { CanaryDocument($0.canary) },
        reverted: status?.reverted.map(CanaryFile.Cause.init))
    }
    let isChanged = state.withLock { state in
      defer { state.entries = entries }
      return !Self.areSame(state.entries, entries)
    }
    if isChanged { file.write(entries) }
  }

  private static func areSame(
    _ left: [String: CanaryFile.Entry], _ right: [String: CanaryFile.Entry]
  ) -> Bool {
    left.count == right.count
      && left.allSatisfy { name, entry in
        guard let other = right[name] else { return false }
        return entry.configured?.canary == other.configured?.canary
          && entry.canary?.canary == other.canary?.canary
          && entry.reverted?.cause == other.reverted?.cause
      }
  }
}
