import JSONDocuments
import Transport

/// Documents that the agent gives on its admin socket.
enum AdminDocument {
  static func fetch<Document: Decodable>(_ resource: String, at path: String) throws -> Document {
    var client = UnixHTTPClient(path: path)
    let bytes = try fetch(resource, &client)
    guard let document = try? JSONDocument.decode(Document.self, from: bytes) else {
      throw CommandFailure(.failure, "the agent at \(path) gave no \(resource.dropFirst()) document")
    }
    return document
  }

  /// The bytes of the document, for callers that ask again and again.
  static func fetch(_ resource: String, _ client: inout UnixHTTPClient) throws -> [UInt8] {
    let response: HTTPResponse
    do throws(TransportError) {
      response = try client.request(method: "GET", path: resource)
    } catch {
      throw CommandFailure(.unreachable, AgentUnreachable.sentence(client.path, error))
    }
    guard response.status == 200 else {
      throw CommandFailure(
        .failure, "the agent at \(client.path) answered with status \(response.status)")
    }
    return response.body
  }
}
