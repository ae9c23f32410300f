import ArgumentParser
import Publishing
import SignedDocuments

/// The keys and the broker of a fleet, for commands that direct its devices.
struct FleetOptions: ParsableArguments {
  @Option(help: "The directory with release.key, director.key and root.cose.")
  var keys: String

  @OptionGroup var brokerOptions: BrokerOptions

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
      keys: try publisherKeys(), broker: try brokerOptions.configuration(),
      recordDirectory: keys, model: model)
  }

  /// What devices have told the broker, read with a progress line.
  ///
  /// - Parameter isQuiet: without the line.
  func snapshot(isQuiet: Bool = false) throws -> FleetSnapshot {
    let reader = FleetReader(
      fleet: try publisherKeys().trustedRoot.document.fleet,
      broker: try brokerOptions.configuration())
    var progress = ProgressLine("reading")
    return try publishing { () throws(PublishingError) in
      try reader.snapshot { if !isQuiet { progress.show(Int64($0), of: 256) } }
    }
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
