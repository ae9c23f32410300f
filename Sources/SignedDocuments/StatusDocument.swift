import ByteParsing

/// What a device tells its fleet about itself and one model; a CBOR map on its status topic.
package struct StatusDocument: Sendable, Equatable {
  /// The birth of the connection that it was sent on.
  package var birth: Int64
  /// Rises with each status of a birth.
  package var sequence: Int64
  /// The agent's version.
  package var agent: String
  /// The kernel table in use.
  package var kernels: String
  /// One entry a delivered model.
  package var models: [Model]
  /// Resident bytes of the agent.
  package var residentBytes: Int64
  /// Bytes free where models are stored.
  package var diskFreeBytes: Int64
  /// Seconds since the agent started.
  package var uptimeSeconds: Int64
  /// Thousandths of a degree Celsius; nil where no sensor can be read.
  package var temperatureMillidegrees: Int64?
  /// Bytes received from the broker this month; nil when not counted.
  package var uplinkBytes: Int64?
  /// The number of the last command that was taken up; nil before the first.
  package var commandSequence: Int64?
  /// When this was told by the device's clock, in seconds since 1970; nil when it has none.
  package var told: Int64?
  /// Until when the device was told to install nothing, in seconds since 1970; 0 until it is let go,
  /// nil when it may install.
  package var heldUntil: Int64?

  package init(
    birth: Int64, sequence: Int64, agent: String, kernels: String, models: [Model],
    residentBytes: Int64 = 0, diskFreeBytes: Int64 = 0, uptimeSeconds: Int64 = 0,
    temperatureMillidegrees: Int64? = nil, uplinkBytes: Int64? = nil,
    commandSequence: Int64? = nil, told: Int64? = nil, heldUntil: Int64? = nil
  ) {
    self.birth = birth
    self.sequence = sequence
    self.agent = agent
    self.kernels = kernels
    self.models = models
    self.residentBytes = residentBytes
    self.diskFreeBytes = diskFreeBytes
    self.uptimeSeconds = uptimeSeconds
    self.temperatureMillidegrees = temperatureMillidegrees
    self.uplinkBytes = uplinkBytes
    self.commandSequence = commandSequence
    self.told = told
    self.heldUntil = heldUntil
  }

  /// Models in one status at most.
  package static let modelsMaximum = 16

  /// The state of one model on the device.
  package struct Model: Sendable, Equatable {
    package var name: String
    /// The delivery state in words.
    package var state: String
    /// The version that serves; nil when none does.
    package var current: Int64?
    /// The version that served before it.
    package var previous: Int64?
    /// The version that is on its way.
    package var target: Int64?
    /// Of the target's blocks, in percent.
    package var progressPercent: Int64
    /// The code of the last refusal or failure.
    package var cause: String?
    /// Attempts at the target.
    package var attempts: Int64
    /// The last director document seen.
    package var directorSequence: Int64
    /// The director's word has run out.
    package var isStale: Bool
    package var requests: Int64
    package var errors: Int64
    /// Latency in microseconds.
    package var latencyP50: Int64
    package var latencyP99: Int64
    /// It stays where a command put it.
    package var isPinned: Bool

    package init(
      name: String, state: String, current: Int64? = nil, previous: Int64? = nil,
      target: Int64? = nil, progressPercent: Int64 = 0, cause: String? = nil, attempts: Int64 = 0,
      directorSequence: Int64 = 0, isStale: Bool = false, requests: Int64 = 0, errors: Int64 = 0,
      latencyP50: Int64 = 0, latencyP99: Int64 = 0,
      isPinned: Bool = false
    ) {
      self.name = name
      self.state = state
      self.current = current
      self.previous = previous
      self.target = target
      self.progressPercent = progressPercent
      self.cause = cause
      self.attempts = attempts
      self.directorSequence = directorSequence
      self.isStale = isStale
      self.requests = requests
      self.errors = errors
      self.latencyP50 = latencyP50
      self.latencyP99 = latencyP99
      self.isPinned = isPinned
    }
  }
}
