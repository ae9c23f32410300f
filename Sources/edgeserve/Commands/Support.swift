import Agent
import ArgumentParser
import Glibc

struct Support: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "support-bundle",
    abstract: "Writes what is needed to help with this device from elsewhere into one file.",
    discussion: """
      A tar archive with version, status, metrics, settings, doctor's findings and what the kernel \
      says of processor and memory. Keys and passwords are not read; names by which the device is \
      let in and serial numbers are left out. Look at it before it is sent: models, topics and \
      addresses are in it.

      Example:
        edgeserve support-bundle --output support.tar
      """)

  @OptionGroup var file: Config.File
  @Option(help: "The archive to write; it must not be there yet.")
  var output: String

  func run() throws {
    // A configuration that cannot be used is what may need help.
    var configuration = AgentConfiguration()
    var mistake: String?
    do throws(AgentError) {
      var settings = try Settings(path: file.config)
      try settings.applyBoard()
      configuration = settings.configuration
    } catch {
      mistake = error.sentence
    }
    var archive = TarArchive(seconds: time(nil))
    var names: [String] = []
    var files = SupportBundle(configuration: configuration).files()
    if let mistake { files.append(("configuration-error.txt", Array((mistake + "\n").utf8))) }
    for (name, bytes) in files {
      archive.append("edgeserve-support/" + name, bytes)
      names.append(name)
    }
    try write(archive.finished)
    StandardError.line("wrote \(output): \(names.joined(separator: ", "))")
  }

  private func write(_ bytes: [UInt8]) throws {
    // For the owner alone, as it tells of the device.
    let descriptor = unsafe open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandFailure(.badInput, "\(output): \(systemMessage(errno))")
    }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      // Sound: the buffer is lent for the call.
      let count = unsafe rest.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw CommandFailure(.failure, "\(output): \(systemMessage(errno))")
      }
      rest = rest.dropFirst(count)
    }
  }
}
