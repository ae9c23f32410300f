import OpenInference
import TensorJSON
import Tensors
import Transport

/// Talks to the agent's data socket by the Open Inference Protocol.
struct PredictClient {
  private var client: UnixHTTPClient
  private let address: ModelAddress

  init(path: String, model: ModelAddress) {
    client = UnixHTTPClient(path: path)
    address = model
  }

  /// The model's inputs and labels.
  mutating func interface() throws -> ModelInterface {
    let body = try exchange(method: "GET", path: address.path)
    do throws(JSONError) {
      return try ModelInterface(json: body)
    } catch {
      throw CommandFailure(.failure, "the agent's metadata are not as expected: \(ErrorSentence.of(error))")
    }
  }

  /// Sends one inference, its inputs in binary; the reply as it came, its outputs listed.
  mutating func infer(_ inputs: [PredictInput]) throws -> [UInt8] {
    var writer = JSONWriter()
    writer.raw("{\"inputs\":[")
    for (index, input) in inputs.enumerated() {
      if index > 0 { writer.raw(",") }
      writer.raw("{\"name\":")
      writer.string(input.name)
      writer.raw(",\"datatype\":")
      writer.string(OpenInference.datatypeName(input.dataType) ?? "")
      writer.raw(",\"shape\":[")
      for (axis, extent) in input.shape.extents.enumerated() {
        if axis > 0 { writer.raw(",") }
        writer.integer(extent)
      }
      writer.raw("],\"parameters\":{\"binary_data_size\":")
      writer.integer(input.bytes.count)
      writer.raw("}}")
    }
    writer.raw("]}")
    return try exchange(
      method: "POST", path: address.path + "/infer",
      headers: [("Inference-Header-Content-Length", "\(writer.bytes.count)")],
      body: inputs.reduce(into: writer.bytes) { $0 += $1.bytes })
  }

  private mutating func exchange(
    method: String, path: String, headers: [(String, String)] = [], body: [UInt8] = []
  ) throws -> [UInt8] {
    let response: HTTPResponse
    do throws(TransportError) {
      response = try client.request(method: method, path: path, headers: headers, body: body)
    } catch {
      throw CommandFailure(
        .unreachable,
        "\(error.sentence) Start the agent with `edgeserve run`, or name its socket with --socket.")
    }
    guard response.status == 200 else {
      throw CommandFailure(
        response.status == 400 ? .badInput : .failure,
        Self.message(response.body) ?? "the agent answered with status \(response.status)")
    }
    return response.body
  }

  /// The text of `{"error": text}`.
  private static func message(_ body: [UInt8]) -> String? {
    var reader = JSONReader(body)
    guard (try? reader.openObject()) != nil, (try? reader.nextKey()) == "error" else { return nil }
    return try? reader.readString()
  }
}
