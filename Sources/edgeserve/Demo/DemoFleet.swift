import MQTT
import ModelBundle
import Publishing

/// The fleet machine: keys of its own, and a publisher.
struct DemoFleet {
  /// The trusted root document for devices.
  let rootFile: String
  private let publisher: Publisher

  /// Makes the fleet's keys in `directory`.
  init(in directory: DemoDirectory, brokerPort: Int) throws {
    let keys = try FleetKeys.generate(
      fleet: "demo", expires: secondsSince1970() + 365 * 86_400)
    let path = directory.file("keys")
    try keys.write(to: path)
    rootFile = path + "/root.cose"
    publisher = Publisher(
      keys: PublisherKeys(keys),
      brokers: FleetBrokers([
        MQTTConfiguration(host: "127.0.0.1", port: brokerPort, clientID: "demo-publisher")
      ]),
      recordDirectory: nil)
  }

  /// Publishes a version; returns when the broker has acknowledged all of it.
  func publish(_ bundle: Bundle, version: Int64) throws -> PublishSummary {
    try publisher.publish(
      bundle, Publisher.Request(model: "digits", version: version), progress: { _ in })
  }
}
