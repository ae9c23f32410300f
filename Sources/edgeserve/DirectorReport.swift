import SignedDocuments

/// What a command made the director say, for a person and as JSON.
struct DirectorReport: Encodable {
  var model: String
  var sequence: Int64
  var target: Int64
  var fallback: Int64?
  var percent: Double
  var stage: Int64?
  var paused: Bool

  init(_ document: DirectorDocument) {
    model = document.model
    sequence = document.sequence
    target = document.target.sequence
    fallback = document.fallback?.sequence
    percent = Double(document.percent) / 100
    stage = document.stage
    paused = document.isPaused
  }

  /// Prints `document` to stdout as JSON, or to stderr as a sentence.
  static func tell(_ document: DirectorDocument, json: Bool) throws {
    if json { return try printJSON(DirectorReport(document)) }
    let whom = document.cohortLabels.isEmpty
      ? "devices" : "devices with label " + document.cohortLabels.joined(separator: " or ")
    StandardError.line(
      "\(document.model): version \(document.target.sequence) for \(Percent.text(document.percent)) "
        + "of \(whom)\(document.isPaused ? ", paused" : "") (director document \(document.sequence))")
  }
}
