/// Every bound of the agent, named once.
package enum AgentLimits {
  /// Bytes of a configuration file.
  static let configurationBytesMaximum = 1 << 20
  /// How often directories of versions are looked at, unless configured.
  package static let pollMilliseconds = 1000
  /// Entries of a directory of versions that are looked at.
  static let directoryEntriesMaximum = 4096
  /// The shortest and the longest wait before a changed file is tried again.
  static let retryMillisecondsMinimum = 1000
  static let retryMillisecondsMaximum = 60_000
  /// How long requests under way may take when the agent is told to stop.
  package static let drainMilliseconds = 10_000
  /// How long clients that wait in a socket of the service manager's may wait for models to load.
  static let startMilliseconds = 10_000
  /// Compute threads when none are configured: one for each core, at most so many.
  package static let threadsDefaultMaximum = 4
  package static let threadsMaximum = 64
  /// Requests that wait for one version, unless configured, and at most.
  package static let queueDepthDefault = 256
  package static let queueDepthMaximum = 65_536
  /// Bytes of the polling thread's stack.
  static let pollStackBytes = 256 * 1024
  /// The part of the memory budget that one request's body may take, as a divisor.
  static let bodyShare = 4
  /// Bytes of a body that are accepted whatever the budget, where the model takes so many.
  static let bodyBytesMinimum = 1 << 20
  /// Bytes of a request's body, whatever the model takes.
  static let bodyBytesMaximum = 256 << 20
  /// Bodies and messages of more bytes, decompressed, are read on a compute thread.
  static let bodyBytesInline = 1 << 20
  /// How long after its start an agent is taken to have what it needs in memory.
  static let settleMilliseconds = 1000
  /// Problems that the status document lists.
  static let problemsMaximum = 32
  /// Bytes of the delivery thread's stack; libraries below it look up names and check signatures.
  static let deliveryStackBytes = 1 << 20
  /// The delivery thread gives way to everything else.
  static let deliveryNiceness: Int32 = 10
  /// The longest wait of the delivery thread.
  static let deliveryPollMilliseconds: Int64 = 60_000
  /// How long the agent waits for the delivery thread to end.
  static let deliveryShutdownMilliseconds = 2_000
  /// How often a status without news is published again.
  static let statusRefreshMilliseconds: Int64 = 3_600_000
  /// The same while a version is on trial.
  static let trialStatusRefreshMilliseconds: Int64 = 300_000
  /// Bytes beyond the budget that the process may map: stacks of its threads, the allocator's slack,
  /// tables of a graph while it is imported.
  static let dataSlackBytes = 64 << 20
  /// Threads that do socket I/O.
  static let ioThreadsMaximum = 8
  /// Bytes that the process may map for each of them beyond the first.
  static let ioThreadSlackBytes = 12 << 20
  /// Words of other starts under this device's name after which they are another device's.
  static let foreignBirthsMaximum = 3
  /// Brokers besides the first.
  static let fallbackBrokersMaximum = 7
  /// How long another broker than the first is stayed at before the first is tried again.
  package static let fallbackMilliseconds: Int64 = 900_000
  /// Of a mirror over http: bytes of its thread's stack; topics that are remembered as asked for, and
  /// that wait at once; milliseconds to connect, for one file, and for the thread to end; bytes a
  /// second that are too few for so many seconds; redirects of one file; and what fails before the
  /// server is not asked for `mirrorMilliseconds`.
  static let mirrorStackBytes = 512 * 1024
  static let mirrorTopicsMaximum = 1024
  static let mirrorWaitingMaximum = 64
  static let mirrorConnectMilliseconds = 5_000
  static let mirrorFileMilliseconds = 60_000
  static let mirrorShutdownMilliseconds = 1_500
  static let mirrorSlowBytes = 1_000
  static let mirrorSlowSeconds = 10
  static let mirrorRedirectsMaximum = 3
  static let mirrorFailuresMaximum = 3
  /// Bytes of a mirror's address.
  static let mirrorAddressBytesMaximum = 1024
  /// Files of a mirror that are looked at.
  static let mirrorFilesMaximum = 64
  /// How often a mirror is looked through for what it did not have.
  static let mirrorMilliseconds: Int64 = 60_000
  /// How long an installation from a file may wait for what the file lacks and the broker has.
  static let installMilliseconds: Int64 = 120_000
  /// Bytes of a password file.
  static let passwordFileBytesMaximum = 4096
  /// Bytes of the activations of a version whose shapes depend on data.
  static let computedShapesBytesMaximum = 1 << 32
  /// Bytes of the answers that one version keeps.
  static let cacheBytesMaximum = 1 << 30
  /// Requests that wait to be written down, and how long they may take when the agent stops.
  static let requestLogWaitingMaximum = 1024
  static let requestLogDrainNanoseconds: UInt64 = 1_000_000_000
  /// Bytes of one file of the request log at least and at most, and files of its ring.
  static let requestLogFileBytes = 4096...1 << 30
  static let requestLogFilesMaximum = 100
  /// Bytes of the files of packed weights together, unless configured.
  static let weightsDiskBytesDefault = 1 << 30
  /// Bytes of the file of pinned versions.
  static let pinFileBytesMaximum = 64 * 1024
  /// Bytes of a root document's file.
  static let rootFileBytesMaximum = 32 * 1024
  /// Connections that hand over memory, the bytes of a packet, and of their thread's stack.
  static let memoryConnectionsMaximum = 16
  static let memoryPacketBytes = 4096
  static let memoryStackBytes = 256 * 1024
  /// How long their thread rests when it cannot accept a connection that waits.
  static let memoryAcceptPauseMicroseconds: UInt32 = 20_000
  /// Connections of the data socket that the budget always holds.
  static let connectionsReserved = 4
  /// Connections of the admin socket, all of which the budget always holds.
  static let adminConnectionsMaximum = 4
  /// Bytes of a request's body on the admin socket.
  static let adminBodyBytesMaximum = 4096
  /// Blocks that are held at once while one is decoded, besides the window.
  static let decodedBlocks = 4
  /// Bytes of a zstd decoder.
  static let decoderBytes = 320 * 1024
  /// Users whose request rates are watched at once.
  static let rateLimitedUsersMaximum = 256
}
