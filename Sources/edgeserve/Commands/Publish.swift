import Agent
import ArgumentParser
import ByteParsing
import ModelBundle
import Publishing
import SignedDocuments

struct Publish: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Signs a bundle and publishes it to a broker.",
    discussion: """
      Publishes the root document, the blocks, their index and seal, the signed release, and last the \
      signed director document that makes devices move. A publication that was cut short is simply \
      repeated.

      Example:
        edgeserve publish --bundle digits.bundle --model digits --version 2 --keys keys \\
          --broker broker.local:1883
        edgeserve publish --bundle digits.bundle --version 2 --keys keys --to digits-2.release

      With --to everything is written to a file, which `edgeserve install` takes on a device \
      without a network.
      """)

  @Option(help: "The bundle, as `edgeserve pack` makes it.")
  var bundle: String

  @Option(help: "The model's name; the bundle's own when absent.")
  var model: String?

  @Option(help: "The version: a positive number above the published one.")
  var version: Int64

  @Option(help: "The directory with release.key, director.key and root.cose.")
  var keys: String

  @Option(
    parsing: .upToNextOption,
    help: "Earlier bundles that devices may have: smaller differences are published for them.")
  var base: [String] = []

  @OptionGroup var brokerOptions: BrokerOptions

  @Option(
    help: "Write it to this new file; a broker, if named, is only asked what it has.")
  var to: String?

  @Option(help: "The fleet's name; refused when the keys are another fleet's.")
  var fleet: String?

  @Option(help: "Days until the director document expires.")
  var expiresDays: Int = 30

  @Option(help: "The zstd level of the blocks, 1 to 22.")
  var level: Int = BlockCodec.defaultLevel

  @OptionGroup var gateOptions: GateOptions

  @Option(
    name: .customLong("board"),
    help: "A board of the fleet; repeatable. What does not fit it is not published.")
  var boards: [String] = []

  @Flag(help: "Publish a version that is not above the published one.")
  var allowDown = false

  @Flag(
    help: """
      Publish without telling devices; `edgeserve rollout start` does. A file without a word for \
      devices is for mirrors and for `edgeserve seed`.
      """)
  var hold = false

  @Flag(help: "Read back every block afterwards, not only a sample.")
  var verify = false

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func validate() throws {
    guard version > 0 else { throw ValidationError("--version is a positive number") }
    guard (1...3650).contains(expiresDays) else {
      throw ValidationError("--expires-days is from 1 to 3650")
    }
    guard to != nil || !brokerOptions.broker.isEmpty else {
      throw ValidationError("name a --broker to publish to, or a file with --to")
    }
    guard (1...22).contains(level) else { throw ValidationError("--level is from 1 to 22") }
  }

  func run() throws {
    let start = ContinuousClock.now
    let opened = try open(bundle)
    for board in boards {
      let fit = try BoardFit(ModelSource(path: bundle), Board.profile(board))
      if let refusal = fit.refusal {
        throw CommandFailure(.failure, "nothing was published: " + refusal)
      }
    }
    let bases = try base.map(open)
    let summary: PublishSummary
    let name = model ?? opened.index.modelName
    let brokers = brokerOptions.broker.isEmpty ? nil : try brokerOptions.brokers()
    var progress = ProgressLine("publishing")
    do throws(PublishingError) {
      let publisherKeys = try PublisherKeys(directory: keys)
      if let fleet, fleet != publisherKeys.trustedRoot.document.fleet {
        throw PublishingError.document(
          .wrongFleet(expected: fleet, actual: publisherKeys.trustedRoot.document.fleet))
      }
      let publisher = Publisher(keys: publisherKeys, brokers: brokers, recordDirectory: keys)
      let request = Publisher.Request(
        model: name, version: version, allowsDown: allowDown,
        directorSeconds: Int64(expiresDays) * 86_400, level: level,
        bases: bases, gate: gateOptions.gate, securityFloor: gateOptions.securityFloor,
        directs: !hold, verifiesAll: verify)
      if let to {
        summary = try publisher.write(opened, request, to: to)
      } else {
        summary = try publisher.publish(opened, request) {
          progress.show($0.bytes, of: $0.bytesTotal)
        }
      }
    } catch {
      throw CommandFailure(error)
    }
    report(summary, name)
    if json { try printJSON(document(summary, name, ContinuousClock.now - start)) }
  }

  private func open(_ bundle: String) throws -> Bundle {
    do throws(BundleError) {
      let opened = try Bundle(path: bundle)
      try opened.verifyFiles()
      return opened
    } catch {
      if case .unreadable(.unreadableFile(let errno)) = error {
        throw CommandFailure(.badInput, "\(bundle): \(systemMessage(errno))")
      }
      throw CommandFailure(.badInput, "\(bundle) is no bundle that can be published: \(error)")
    }
  }

  private func report(_ summary: PublishSummary, _ name: String) {
    StandardError.line(
      (to.map { "wrote \($0): " } ?? "published ")
        + "\(name) version \(version): \(summary.blocks) blocks, "
        + "\(ByteSize.describe(Int(summary.rawBytes))) raw, "
        + "\(ByteSize.describe(Int(summary.encodedBytes))) encoded, "
        + "\(ByteSize.describe(Int(summary.wireBytes))) \(to == nil ? "on the wire" : "in the file"), "
        + (summary.directorSequence.map { "director document \($0)" }
          ?? "devices are not told: begin with rollout start"))
    for bytes in summary.deltaBytes {
      StandardError.line(
        "a difference of \(ByteSize.describe(Int(bytes))), "
          + "\(bytes * 100 / max(summary.encodedBytes, 1)) % of the whole")
    }
    if summary.deltaBytes.count < base.count {
      StandardError.line(
        "\(base.count - summary.deltaBytes.count) of \(base.count) differences are not worth it")
    }
  }

  private func document(_ summary: PublishSummary, _ name: String, _ time: Duration)
    -> PublishDocument
  {
    let milliseconds = time / .milliseconds(1)
    return PublishDocument(
      model: name, version: version, rawBytes: summary.rawBytes,
      encodedBytes: summary.encodedBytes, deltaBytes: summary.deltaBytes,
      wireBytes: summary.wireBytes, blocks: summary.blocks,
      seconds: milliseconds.rounded() / 1000, directorSequence: summary.directorSequence)
  }
}

/// What `publish` did, as JSON.
private struct PublishDocument: Encodable {
  var model: String
  var version: Int64
  var rawBytes: Int64
  var encodedBytes: Int64
  var deltaBytes: [Int64]
  var wireBytes: Int64
  var blocks: Int
  var seconds: Double
  var directorSequence: Int64?

  enum CodingKeys: String, CodingKey {
    case model, version, blocks, seconds
    case rawBytes = "raw_bytes"
    case encodedBytes = "encoded_bytes"
    case deltaBytes = "delta_bytes"
    case wireBytes = "wire_bytes"
    case directorSequence = "director_sequence"
  }
}
