// Asks an edgeserve agent to classify a picture of zeros, and prints the most likely class.
//
//   swift run Classify /run/edgeserve/edgeserve.sock digits
import EdgeServeClient

func classify(_ model: String, _ client: EdgeServeClient) async throws(EdgeServeError) {
  let metadata = try await client.metadata(of: model)
  // A free extent, such as the batch's, becomes 1.
  let shape = metadata.inputs[0].shape.map { $0 < 0 ? 1 : $0 }
  let pixels = [Int8](repeating: 0, count: shape.reduce(1, *))
  let prediction = try await client.predict(
    model, [Tensor(metadata.inputs[0].name, shape: shape, pixels)])
  let scores: [Int8] = try prediction.outputs[0].elements()
  let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
  print("\(prediction.model) version \(prediction.version): class \(best)")
}

guard CommandLine.arguments.count == 3 else { fatalError("usage: Classify SOCKET MODEL") }
var configuration = EdgeServeClient.Configuration(socketPath: CommandLine.arguments[1])
// While the agent restarts, wait for it for up to three seconds.
configuration.reconnect = .seconds(3)
do {
  try await classify(CommandLine.arguments[2], EdgeServeClient(configuration))
} catch {
  let advice = error.reason == .unavailable ? ", try again in \(error.retryAfter ?? .seconds(1))" : ""
  print("\(error.reason): \(error.message)\(advice)")
}
