import ModelDelivery
package import SignedDocuments

/// What came of an installation from a file.
package struct InstallReport: Codable, Sendable, Equatable {
  package var model: String
  /// The version in the file.
  package var version: Int64
  /// Whether it serves now.
  package var installed: Bool
  /// The version that serves; left out when none does.
  package var serving: Int64?
  /// Where the delivery stands.
  package var state: String
  /// The code of what kept the version out; left out when nothing did.
  package var cause: String?
}

/// Why an installation was not begun.
package enum InstallRefusal: Error, Equatable, Sendable {
  case archive(ArchiveError)
  /// The file is another fleet's, or of a model that this device does not take.
  case notForThisDevice(fleet: String, model: String, models: [String])
  /// Another installation is under way.
  case busy
  /// The agent has no delivery.
  case notConfigured
  case shuttingDown

  package var sentence: String {
    switch self {
    case .archive(let error): error.sentence
    case .notForThisDevice(let fleet, let model, let models):
      "The file is of model \(model) in fleet \(fleet); this device takes "
        + models.joined(separator: ", ") + "."
    case .busy: "Another installation is under way; wait for it."
    case .notConfigured: "The agent has no delivery configured, so no keys to check the file by."
    case .shuttingDown: "The agent is stopping."
    }
  }
}

/// Called once, when an installation has come to its end.
package typealias InstallCompletion = @Sendable (Result<InstallReport, InstallRefusal>) -> Void

/// An installation under way, on the delivery thread.
struct Installation {
  let archive: ReleaseArchive
  let model: String
  let version: Int64
  let completion: InstallCompletion
  /// When it is over whatever happens, in milliseconds of the delivery clock.
  let deadline: Int64

  /// Opens the file at `path` for a device of `fleet` that takes `models`.
  init(
    _ path: String, fleet: String, models: [String], deadline: Int64,
    completion: @escaping InstallCompletion
  ) throws(InstallRefusal) {
    let topic: Topic
    do throws(ArchiveError) {
      archive = try ReleaseArchive(path)
      (topic, model, version) = try archive.director()
    } catch {
      throw .archive(error)
    }
    guard topic == .director(fleet: fleet, model: model), models.contains(model) else {
      throw .notForThisDevice(fleet: topic.fleet, model: model, models: models)
    }
    self.deadline = deadline
    self.completion = completion
  }

  /// What came of it; nil while it goes on.
  ///
  /// - Parameter isExhausted: nothing more will come of what the device waits for.
  func report(_ status: Delivery.Status, isExhausted: Bool) -> InstallReport? {
    let isInstalled = status.serving == version
    switch status.state {
    case .starting, .assembled, .candidate: return nil
    case .offered, .planned, .fetching: guard isExhausted else { return nil }
    case .idle, .trial, .committed, .waiting, .refused, .rolledBack: break
    }
    let fallback: Cause? = status.state == .idle ? nil : .truncated
    return InstallReport(
      model: model, version: version, installed: isInstalled, serving: status.serving,
      state: status.state.rawValue,
      cause: isInstalled ? nil : (status.cause ?? fallback)?.rawValue)
  }
}
