import ArgumentParser
import Publishing
import SignedDocuments

struct Acl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "acl",
    abstract: "Prints an access list and a configuration for mosquitto.",
    discussion: """
      With the access list a device can write its own status and nothing else; publisher and \
      director have users of their own.

      Example:
        edgeserve acl --fleet demo > /etc/mosquitto/demo.acl
        edgeserve acl --fleet demo --configuration > /etc/mosquitto/conf.d/demo.conf
      """)

  @Option(help: "The fleet's name.")
  var fleet: String

  @Flag(help: "Print the part of mosquitto.conf that goes with it.")
  var configuration = false

  @Option(help: "Where the access list will lie.")
  var aclFile: String?

  @Option(help: "Where the password file will lie.")
  var passwordFile = "/etc/mosquitto/passwords"

  @Option(help: "The port of the listener.")
  var port = 1883

  func validate() throws {
    guard Token.isValid(fleet) else {
      throw ValidationError("--fleet is 1 to 64 of A-Z a-z 0-9 _ -")
    }
    guard (1...65535).contains(port) else { throw ValidationError("--port is from 1 to 65535") }
  }

  func run() {
    let access = BrokerAccess(fleet: fleet)
    let text =
      configuration
      ? access.configuration(
        accessListPath: aclFile ?? "/etc/mosquitto/\(fleet).acl", passwordPath: passwordFile,
        port: port)
      : access.accessList
    StandardOutput.write(Array(text.utf8))
  }
}
