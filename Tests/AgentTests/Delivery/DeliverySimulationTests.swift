import Agent
import DeliveryTestSupport
import ModelDelivery
import TestSupport
import Testing

@Suite("Delivery under seeded faults")
struct DeliverySimulationTests {
  /// Versions 1 to 4 are published one after another while messages are lost, doubled, reordered
  /// and corrupted, the link breaks, activations fail and crash, versions on trial fail their
  /// requests and end the agent, and the power is cut between any
  /// two file calls; then the faults stop, and version 4 is asked for once more.
  private func simulate(_ seed: UInt64) -> SimulatedDevice {
    let device = SimulatedDevice(seed: seed)
    let releases = device.releases
    if seed % 3 == 0 { device.bad = [2] }
    if seed % 4 == 0 { device.erring = [3] }
    device.turnOn()
    for version in 1...4 as ClosedRange<Int64> {
      let topics = releases.topics[version] ?? [:]
      device.publish(topics.filter { _ in Int.random(in: 0..<100, using: &device.random) < 95 })
      device.publish([releases.directorTopic: releases.director(version, sequence: version)])
      device.run(happenings: Int.random(in: 10...80, using: &device.random))
      device.publish(topics)
      device.run(happenings: Int.random(in: 10...80, using: &device.random))
      // An older word comes back, as from a restored broker.
      let old = Int64.random(in: 1...version, using: &device.random)
      device.publish([releases.directorTopic: releases.director(old, sequence: old)])
      device.run(happenings: 20)
      device.publish([releases.directorTopic: releases.director(version, sequence: version)])
    }
    device.faults = nil
    device.disk.cutAt = nil
    device.publish([releases.directorTopic: releases.director(4, sequence: 5)])
    device.run(happenings: 3000) {
      device.serving == 4 && device.status?.state == .committed
    }
    return device
  }

  @Test("what serves is whole, nothing durable goes back, and all ends well when the faults stop")
  func lives() {
    var (lives, rolledBack) = (0, 0)
    let seeds = UInt64(AgentConfiguration.environment("EDGESERVE_SEEDS") ?? "") ?? 150
    for seed in 1...max(150, seeds) {
      let device = simulate(seed)
      #expect(device.violations == [], "seed \(seed)")
      #expect(device.serving == 4, "seed \(seed)")
      #expect(device.status?.state == .committed, "seed \(seed)")
      lives += device.lives
      rolledBack += device.rolledBack.count
    }
    #expect(rolledBack > 20, "\(rolledBack)")
    // The faults do strike: a device lives many times before it is left in peace.
    #expect(lives > 1000, "\(lives)")
    print("simulation: \(lives) lives of \(max(150, seeds)) devices, \(rolledBack) versions taken back")
  }

  @Test("a seed is replayed exactly")
  func replay() {
    let (first, second) = (simulate(77), simulate(77))
    #expect(first.lives == second.lives)
    #expect(first.random.next() == second.random.next())
  }
}
