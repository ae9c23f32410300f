extension ModelManager {
  /// `candidate`, held to what its source allows it beside the version that serves.
  func gated(_ candidate: CandidateVersion) throws(LoadFailure) -> CandidateVersion {
    var candidate = candidate
    let source = candidate.source
    if let maximum = source.memoryBytesMaximum, candidate.memory.totalBytes > maximum {
      throw .memoryGate(neededBytes: candidate.memory.totalBytes, limitBytes: maximum)
    }
    if let ratio = source.latencyRatioMaximum, let median = registry.median(of: source.model) {
      let (product, overflow) = median.multipliedReportingOverflow(by: ratio)
      // Short inferences are timed no better than to the slack.
      let limit = max(
        overflow ? .max : product / 1000, median + registry.limits.latencySlackMicroseconds)
      candidate.source.latencyLimitMicroseconds = min(
        limit, source.latencyLimitMicroseconds ?? .max)
    }
    return candidate
  }
}

extension ModelRegistry {
  /// The median of one inference with the newest version of `model` that serves, as it was
  /// measured when it was loaded, in microseconds; nil when none serves.
  fileprivate func median(of model: String) -> Int? {
    update(model) { entry in
      entry.serving.keys.max().flatMap { entry.serving[$0]?.medianMicroseconds }
    }
  }
}
