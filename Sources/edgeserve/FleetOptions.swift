import ArgumentParser
import Publishing
import SignedDocuments

/// The keys and the brokers of a fleet, for commands that direct its devices.
struct FleetOptions: ParsableArguments {
  @Option(help: "The directory with release.key, director.key and root.cose.")
  var keys: String

  @OptionGroup var brokerOptions: BrokerOptions

  @Option(
    help: """
      A file with a device's name on each line: they are asked for one by one, for brokers that do \
      not hand out what they retain to those who ask for all.
      """)
  var devices: String?

  func publisherKeys() throws -> PublisherKeys {
    do throws(PublishingError) {
      return try PublisherKeys(directory: keys)
    } catch {
      throw CommandFailure(error)
    }
  }

  /// The director of one model.
  func director(_ model: String) throws -> Director {
    Director(
      keys: try publisherKeys(), brokers: try brokerOptions.brokers(),
      recordDirectory: keys, model: model)
  }

  /// What devices have told the broker, read with a progress line.
  ///
  /// - Parameters:
  ///   - names: the devices to ask of; nil for those that `devices` names, or all.
  ///   - isQuiet: without the line.
  func snapshot(of names: [String]? = nil, isQuiet: Bool = false) throws -> FleetSnapshot {
    let reader = FleetReader(
      fleet: try publisherKeys().trustedRoot.document.fleet,
      brokers: try brokerOptions.brokers(), devices: try names ?? deviceNames())
    var progress = ProgressLine("reading")
    return try publishing { () throws(PublishingError) in
      try reader.snapshot { if !isQuiet { progress.show(Int64($0), of: Int64($1)) } }
    }
  }

  private func deviceNames() throws -> [String]? {
    guard let devices else { return nil }
    let text = try publishing { () throws(PublishingError) in
      String(decoding: try readFile(devices, limit: 16 << 20), as: UTF8.self)
    }
    let names = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard !names.isEmpty, names.allSatisfy({ Token.isValid($0) }) else {
      throw CommandFailure(.badInput, "\(devices) holds no list of devices' names")
    }
    return names
  }
}

/// Runs `body` and tells its failure to a person.
func publishing<R>(_ body: () throws(PublishingError) -> R) throws -> R {
  do throws(PublishingError) {
    return try body()
  } catch {
    throw CommandFailure(error)
  }
}
