import ArgumentParser
import Glibc
import Publishing
import SignedDocuments

struct Seed: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Gives a broker back what it lost of releases in files.",
    discussion: """
      Brokers lose retained messages: at a kill, at a restart, by a limit. This compares what \
      `edgeserve publish --to` wrote with what the broker holds, and publishes what is missing; it \
      needs no keys. With --watch it goes on, and answers devices that miss something at once. It \
      seeds a second broker just as well. With --to-directory the same goes into files, one for \
      each topic, from which any web server makes a mirror.

      Example:
        edgeserve seed digits-7.release --broker broker.local
        edgeserve seed releases/*.release --watch --broker broker.local --username pub-demo
        edgeserve seed releases/*.release --to-directory /srv/www/models
      """)

  @Argument(help: "Files that `edgeserve publish --to` wrote.")
  var files: [String]

  @OptionGroup var brokerOptions: BrokerOptions

  @Option(help: "Write releases, indexes and blocks to files below this directory, and to no broker.")
  var toDirectory: String?

  @Flag(help: "Go on, until interrupted.")
  var watch = false

  @Option(help: "Seconds between two looks with --watch.")
  var interval: Int = 60

  @Flag(help: "Read back every block, not only documents, indexes and seals.")
  var verify = false

  @Flag(help: "Print one JSON document to stdout for each look.")
  var json = false

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("name one file or more") }
    guard toDirectory == nil || !watch && !verify else {
      throw ValidationError("--to-directory goes with neither --watch nor --verify")
    }
    guard (1...86_400).contains(interval) else {
      throw ValidationError("--interval is from 1 to 86400")
    }
  }

  func run() throws {
    if let toDirectory {
      let tree = MirrorTree(toDirectory)
      let written = try publishing { () throws(PublishingError) in
        var count = 0
        for archive in try open() { count += try tree.write(archive) }
        return count
      }
      if json { try printJSON(["written": written]) }
      return StandardError.line("\(written) files are new below \(toDirectory)")
    }
    let seeder = Seeder(brokers: try brokerOptions.brokers())
    let archives = try publishing { () throws(PublishingError) in try open() }
    guard let fleet = archives[0].topics.first?.fleet else {
      throw CommandFailure(.badInput, "\(files[0]) holds nothing")
    }
    var asked: Set<String> = []
    while true {
      do {
        try look(seeder, archives, asked)
        guard watch else { return }
        asked = try publishing { () throws(PublishingError) in
          try seeder.listen(fleet: fleet, seconds: interval)
        }
      } catch let failure as CommandFailure where watch && failure.status == .unreachable {
        // The broker may be just what is being restarted.
        StandardError.line(failure.message)
        asked = []
        sleep(UInt32(min(interval, 5)))
      }
    }
  }

  private func open() throws(PublishingError) -> [ReleaseArchive] {
    var archives: [ReleaseArchive] = []
    for file in files {
      do throws(ArchiveError) { archives.append(try ReleaseArchive(file)) } catch {
        throw .archive(error)
      }
    }
    return archives
  }

  private func look(_ seeder: Seeder, _ archives: [ReleaseArchive], _ asked: Set<String>) throws {
    var (checked, published) = (0, 0)
    for archive in archives {
      let summary = try publishing { () throws(PublishingError) in
        try seeder.seed(archive, allBlocks: verify, asked: asked)
      }
      checked += summary.checked
      published += summary.published
    }
    if json {
      try printJSON(["checked": checked, "published": published])
    } else if published > 0 || !watch {
      StandardError.line(
        "\(checked) messages looked at, \(published) published that the broker did not hold")
    }
  }
}
