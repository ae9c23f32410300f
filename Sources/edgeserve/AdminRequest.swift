import JSONDocuments
import Transport

/// Orders that the agent takes on its admin socket.
enum AdminRequest {
  /// Sends one, and gives the bytes of its answer.
  @discardableResult
  static func post(_ resource: String, _ body: [UInt8], at path: String) throws -> [UInt8] {
    var client = UnixHTTPClient(path: path)
    let response: HTTPResponse
    do throws(TransportError) {
      response = try client.request(method: "POST", path: resource, body: body)
    } catch {
      throw CommandFailure(.unreachable, AgentUnreachable.sentence(path, error))
    }
    guard response.status == 200 else {
      struct Refusal: Decodable { var error: String }
      let refusal = try? JSONDocument.decode(Refusal.self, from: response.body)
      throw CommandFailure(
        response.status == 404 ? .badInput : .failure,
        refusal?.error ?? "the agent at \(path) answered with status \(response.status)")
    }
    return response.body
  }
}
