package import SignedDocuments

/// Who this device is, what it takes delivery of, and what it has.
package struct DeviceProfile: Sendable {
  package var device: String
  /// Names of the models, at most `DeliveryLimits.models`.
  package var models: [String]
  /// The labels by which a director may mean this device.
  package var labels: [String]
  /// The root that came with the device.
  package var root: TrustedRoot
  /// The agent's version, dotted numbers.
  package var agent: String
  /// `x86_64` or `aarch64`.
  package var architecture: String
  /// Processor features, one bit each.
  package var processorFeatures: UInt64
  /// Bytes that a model may need at its high-water mark.
  package var memoryBudget: Int64
  package var timing: DeliveryTiming
  /// Encoded bytes of the largest object that the link may carry; nil where they cost nothing.
  package var meteredBytes: Int64?
  /// Seeds the jitter of waits.
  package var seed: UInt64

  package init(
    device: String, models: [String], labels: [String] = [], root: TrustedRoot, agent: String,
    architecture: String, processorFeatures: UInt64 = .max, memoryBudget: Int64,
    timing: DeliveryTiming = DeliveryTiming(), meteredBytes: Int64? = nil, seed: UInt64
  ) {
    precondition(models.count <= DeliveryLimits.models && Set(models).count == models.count)
    self.device = device
    self.models = models
    self.labels = labels
    self.root = root
    self.agent = agent
    self.architecture = architecture
    self.processorFeatures = processorFeatures
    self.memoryBudget = memoryBudget
    self.timing = timing
    self.meteredBytes = meteredBytes
    self.seed = seed
  }

  /// Why the device cannot run a release; nil when it can.
  func objection(to release: ReleaseDocument) -> Cause? {
    let needs = release.needs
    if needs.peakBytes > memoryBudget { return .overBudget }
    guard needs.architecture == nil || needs.architecture == architecture,
      needs.processorFeatures & ~processorFeatures == 0,
      (1...DeliveryLimits.bundleBytes).contains(release.rawSize),
      Int64(release.blockCount) <= DocumentLimits.blocks,
      needs.runtimeMinimum.map({ !Self.precedes(agent, $0) }) ?? true,
      needs.runtimeMaximum.map({ !Self.precedes($0, agent) }) ?? true
    else { return .needs }
    return nil
  }

  /// Whether one dotted version comes before another; missing and malformed numbers count as 0.
  static func precedes(_ left: String, _ right: String) -> Bool {
    func numbers(_ text: String) -> [Int] { text.split(separator: ".").map { Int($0) ?? 0 } }
    let (a, b) = (numbers(left), numbers(right))
    for i in 0..<max(a.count, b.count) {
      let (x, y) = (i < a.count ? a[i] : 0, i < b.count ? b[i] : 0)
      if x != y { return x < y }
    }
    return false
  }
}

/// The two clocks that the machine looks at.
package struct DeliveryTime: Sendable, Equatable {
  /// Milliseconds of a clock that only rises, also across suspends.
  package var milliseconds: Int64
  /// Seconds since 1970, as far as the device knows.
  package var wallSeconds: Int64

  package init(milliseconds: Int64, wallSeconds: Int64) {
    self.milliseconds = milliseconds
    self.wallSeconds = wallSeconds
  }
}
