import ArgumentParser
import ModelDelivery
import SignedDocuments

/// What devices hold a version to, besides its golden vectors.
struct GateOptions: ParsableArguments {
  @Option(
    help: "Minutes on trial: then it is kept, unless it was taken back. 0 for no trial.")
  var trialMinutes: Int64 = 10

  @Option(help: "Requests that a trial waits for, up to ten times its minutes.")
  var trialRequests: Int64 = 0

  @Option(
    help: "Failed requests on trial, in percent; what failed before it is allowed in any case.")
  var maxErrorRate: Double = 1

  @Option(
    help: "Latency at most, as a multiple of the version before, when loaded and on trial.")
  var maxLatencyRatio: Double?

  @Option(help: "Bytes of memory at most, and of growth on trial.")
  var maxMemoryBytes: Int64?

  @Option(help: "The lowest version that a device may go back to once this one is kept.")
  var securityFloor: Int64 = 0

  func validate() throws {
    guard (0...TrialLimits.minutesMaximum).contains(trialMinutes) else {
      throw ValidationError("--trial-minutes is from 0 to \(TrialLimits.minutesMaximum)")
    }
    guard trialRequests >= 0 else { throw ValidationError("--trial-requests is not negative") }
    guard (0...100).contains(maxErrorRate) else {
      throw ValidationError("--max-error-rate is from 0 to 100 percent")
    }
    guard maxLatencyRatio.map({ (1...1000).contains($0) }) ?? true else {
      throw ValidationError("--max-latency-ratio is from 1 to 1000")
    }
    guard maxMemoryBytes.map({ (1...DocumentLimits.rawBytes).contains($0) }) ?? true else {
      throw ValidationError("--max-memory-bytes is from 1 to \(DocumentLimits.rawBytes)")
    }
    guard securityFloor >= 0 else { throw ValidationError("--security-floor is not negative") }
  }

  var gate: ReleaseDocument.Gate {
    ReleaseDocument.Gate(
      latencyRatioMaximum: maxLatencyRatio.map { Int64(($0 * 1000).rounded()) },
      residentBytesMaximum: maxMemoryBytes, trialMinutes: trialMinutes,
      trialRequestsMinimum: trialRequests,
      errorRateMaximum: Int64((maxErrorRate * 10_000).rounded()))
  }
}
