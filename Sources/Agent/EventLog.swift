import Logging
import Serving

/// Writes what happens to versions into the log, one line each.
enum EventLog {
  static func write(_ event: ServingEvent, to log: Logger) {
    switch event {
    case .preparing(let model, let version):
      log.info("preparing", metadata: place(model, version))
    case .drainFirst(let model, let version, let leaving):
      log.info(
        "two versions do not fit: draining first",
        metadata: place(model, version).merging(["leaving": "\(leaving)"]) { $1 })
    case .serving(let model, let version, let median, let memory):
      log.info(
        "serving",
        metadata: place(model, version).merging([
          "median_us": "\(median)", "charged_bytes": "\(memory.totalBytes)",
        ]) { $1 })
    case .refused(let model, let version, let cause):
      log.warning("refused", metadata: place(model, version, cause))
    case .restored(let model, let version):
      log.warning("restored the former version", metadata: place(model, version))
    case .lost(let model, let version, let cause):
      log.error("the former version cannot be restored", metadata: place(model, version, cause))
    case .canaryReverted(let model, let version, let cause):
      log.warning(
        "took the canary back",
        metadata: place(model, version).merging([
          "cause": "\(cause.code)", "detail": "\(cause.sentence)",
        ]) { $1 })
    case .weightsDamaged(let model, let version):
      log.error("packed weights are damaged: loading again", metadata: place(model, version))
    case .retired(let model, let version):
      log.info("retired", metadata: place(model, version))
    }
  }

  private static func place(
    _ model: String, _ version: Int64, _ cause: LoadFailure? = nil
  ) -> Logger.Metadata {
    var metadata: Logger.Metadata = ["model": "\(model)", "version": "\(version)"]
    if let cause {
      metadata["cause"] = "\(cause.code)"
      metadata["detail"] = "\(cause.sentence)"
    }
    return metadata
  }
}
