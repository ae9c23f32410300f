/// Which requests are written down, and where.
package struct RequestLogConfiguration: Sendable, Equatable {
  package var directory: String
  /// Of a hundred answered requests.
  package var percent: Double
  /// Whether each request that fails is written down too.
  package var failures = true
  /// Bytes of one file, and files of the ring.
  package var fileBytes = 1 << 20
  package var files = 4

  package init(directory: String, percent: Double) {
    self.directory = directory
    self.percent = percent
  }

  func validate() throws(AgentError) {
    guard (0...100).contains(percent) else {
      throw .invalidValue(
        key: "request_log.percent", value: "\(percent)", expected: "0 to 100")
    }
    guard AgentLimits.requestLogFileBytes.contains(fileBytes) else {
      throw .invalidValue(
        key: "request_log.file_bytes", value: String(fileBytes),
        expected: "4096 to \(AgentLimits.requestLogFileBytes.upperBound)")
    }
    guard (1...AgentLimits.requestLogFilesMaximum).contains(files) else {
      throw .invalidValue(
        key: "request_log.files", value: String(files),
        expected: "1 to \(AgentLimits.requestLogFilesMaximum)")
    }
  }
}
