import Agent
import ArgumentParser
import Transport

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends one request to a running agent.",
    discussion: """
      An input is a NumPy file or JSON, flat or nested; its name may be left out when the model has
      one input. The model may be followed by @VERSION or :LABEL.

      Examples:
        edgeserve predict digits --input picture.npy
        edgeserve predict half_plus_two@3 --input 'x=[1, 2, 5]' --json
      """)

  @Argument(help: "The model: NAME, NAME@VERSION or NAME:LABEL.")
  var model: String

  @Option(help: "An input: [NAME=]FILE.npy or [NAME=]JSON. May be repeated.")
  var input: [String] = []

  @Option(help: "The agent's data socket.")
  var socket: String?

  @Flag(help: "Print the agent's answer as it is, one JSON document, to stdout.")
  var json = false

  func run() throws {
    let path =
      socket ?? AgentConfiguration.environment("EDGESERVE_SOCKET") ?? AgentConfiguration().socket
    var client = PredictClient(path: path, model: try ModelAddress(model))
    let interface = try client.interface()
    guard !input.isEmpty else {
      let inputs = interface.inputs.map { "\($0.name) (\($0.datatype) \($0.shape))" }
      throw CommandFailure(
        .badInput,
        "no --input is given; the model takes \(inputs.joined(separator: ", ")), where -1 is any extent")
    }
    let tensors = try input.map { try PredictInput($0, interface) }
    let reply = try client.infer(tensors)
    if json {
      StandardOutput.write(reply + [UInt8(ascii: "\n")])
    } else {
      StandardOutput.write(Array(try PredictReport(reply, labels: interface.labels).text.utf8))
    }
  }
}
