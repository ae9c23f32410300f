/// What a mirror says when a topic is asked of it.
enum MirrorAnswer {
  /// The message, there at once.
  case payload([UInt8])
  /// It is asked for, and told later.
  case pending
  /// Someone else is to be asked.
  case elsewhere
}

/// A source of releases, indexes and blocks that is asked before the broker, and no more believed.
///
/// Used by one thread.
protocol ReleaseMirror: AnyObject {
  func take(_ topic: String) -> MirrorAnswer
  /// The answer that was there at once was not used.
  func giveBack(_ topic: String)
  /// The topic is wanted no more; when it is on its way, it comes too late.
  func forget(_ topic: String)
  /// What came since the last call; nil for a topic that someone else is to be asked for.
  func takeArrivals() -> [(topic: String, payload: [UInt8]?)]
  func shutdown()
}

extension ReleaseMirror {
  func giveBack(_ topic: String) {}
  func forget(_ topic: String) {}
  func takeArrivals() -> [(topic: String, payload: [UInt8]?)] { [] }
  func shutdown() {}
}
