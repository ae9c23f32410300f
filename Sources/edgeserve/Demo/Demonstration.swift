import Agent
import ByteParsing
import ModelBundle
import Serving

/// Broker, fleet machine, agent and apps on this machine: one version is served, then a better one comes.
struct Demonstration {
  var fixtures: DemoFixtures
  var budgetBytes: Int
  var connections: Int

  /// Runs it; whatever it started has ended, and whatever it wrote is removed, when this returns or throws.
  func run() throws -> DemoReport {
    let start = MonotonicClock.now()
    let bundles = (try fixtures.bundle(version: 1), try fixtures.bundle(version: 2))
    let directory = try DemoDirectory()
    defer { directory.remove() }
    let broker = try DemoBroker(in: directory)
    defer { broker.end() }
    say("broker    mosquitto on 127.0.0.1:\(broker.port)")
    let fleet = try DemoFleet(in: directory, brokerPort: broker.port)
    _ = try fleet.publish(bundles.0, version: 1)
    say("fleet     keys made, digits 1 signed and published: \(size(bundles.0.bytes.count))")
    let agent = try DemoAgent(
      in: directory, brokerPort: broker.port, rootFile: fleet.rootFile, budget: budgetBytes)
    defer { agent.end() }
    _ = try agent.waitUntilServing(1, seconds: 20)
    say("agent     pulled, verified and proved digits 1; serves it within \(size(budgetBytes))")
    let traffic = DemoTraffic(socket: agent.socket, fixtures: fixtures, connections: connections)
    defer { traffic.stop() }
    let before = try accuracy(of: 1, traffic)
    say("apps      \(connections) connections; right before: \(DemoReport.percent(before))")
    let published = MonotonicClock.now()
    _ = try fleet.publish(bundles.1, version: 2)
    _ = try agent.waitUntilServing(2, seconds: 20)
    let milliseconds = Int((MonotonicClock.now() - published) / 1_000_000)
    say("agent     swapped to digits 2, \(milliseconds) ms after its publication began")
    let after = try accuracy(of: 2, traffic)
    say("apps      the same connections; right after: \(DemoReport.percent(after))")
    return try finish(start, directory, broker, agent, traffic, before: before, after: after)
  }

  /// Waits until `version` has answered every test picture.
  private func accuracy(of version: Int64, _ traffic: DemoTraffic) throws -> Double {
    try DemoInterrupt.wait(
      seconds: 20,
      orThrow: CommandFailure(
        .failure,
        "version \(version) did not answer all pictures; "
          + (traffic.tally.firstFailure ?? "no request failed"))
    ) { traffic.accuracy(of: version) }
  }

  private func finish(
    _ start: UInt64, _ directory: DemoDirectory, _ broker: DemoBroker, _ agent: DemoAgent,
    _ traffic: DemoTraffic, before: Double, after: Double
  ) throws -> DemoReport {
    // The broker brings its counters up to date once a second.
    try DemoInterrupt.pause(milliseconds: 2100)
    let bytes = try broker.bytesMoved()
    traffic.stop()
    let status = try agent.waitUntilServing(2, seconds: 5)
    say("\n" + (try agent.statusScreen(in: directory)))
    let tally = traffic.tally
    if let failure = tally.firstFailure { say("first failure: \(failure)") }
    return DemoReport(
      requests: tally.requests, failed: tally.failed, accuracyBefore: before, accuracyAfter: after,
      bytesOnWire: bytes, budgetBytes: budgetBytes, rssBytes: status.memory.rssBytes,
      rssAnonBytes: status.memory.rssAnonBytes, chargedBytes: status.memory.chargedBytes,
      seconds: Double(MonotonicClock.now() - start) / 1e9)
  }

  private func size(_ bytes: Int) -> String { ByteSize.describe(bytes) }

  /// A line for people.
  private func say(_ text: String) { Demo.say(text) }
}
