import ByteParsing
package import GRPC
package import TensorFlowServing

/// A writer of a reply that is written once.
func replyWriter(capacity: Int = 256) -> ProtobufWriter {
  ProtobufWriter(prefix: GRPCFraming.prefixBytes, capacity: capacity)
}

extension GRPCReply {
  /// The reply that `body` writes.
  static func message(_ body: (inout ProtobufWriter) -> Void) -> GRPCReply {
    var writer = replyWriter()
    body(&writer)
    return .message(writer.bytes)
  }
}

/// What administrators may do to local models, and who they are.
package struct Administration: Sendable {
  /// Whether a caller may administer.
  package var isAllowed: @Sendable (GRPCCall) -> Bool
  /// Loads the newest version of a model; completes when it serves or was refused.
  package var load: @Sendable (String, @escaping @Sendable (GRPCStatus?) -> Void) -> Void
  /// Takes every version of a model out of service.
  package var unload: @Sendable (String) -> GRPCStatus?
  /// Puts a configuration in place of that of all local models; completes when all of it is in force,
  /// or nothing has changed.
  package var replace:
    @Sendable (ModelServerConfig, @escaping @Sendable (GRPCStatus?) -> Void) -> Void
  package var settings: ServerSettings

  package init(
    isAllowed: @escaping @Sendable (GRPCCall) -> Bool,
    load: @escaping @Sendable (String, @escaping @Sendable (GRPCStatus?) -> Void) -> Void,
    unload: @escaping @Sendable (String) -> GRPCStatus?,
    replace:
      @escaping @Sendable (ModelServerConfig, @escaping @Sendable (GRPCStatus?) -> Void) -> Void,
    settings: ServerSettings
  ) {
    self.settings = settings
    self.isAllowed = isAllowed
    self.load = load
    self.unload = unload
    self.replace = replace
  }

  /// - Throws: PERMISSION_DENIED.
  func check(_ call: GRPCCall) throws(GRPCStatus) {
    guard isAllowed(call) else {
      throw GRPCStatus(
        .permissionDenied,
        "Only the user that the agent runs as, and root, may administer it.")
    }
  }
}

/// A map entry of text to a message.
func readEntry(_ reader: ProtobufReader) throws(ProtobufError) -> (String, ProtobufReader?) {
  var reader = reader
  var key = ""
  var value: ProtobufReader?
  while let field = try reader.next() {
    switch field.number {
    case 1: key = try reader.text(field)
    case 2: value = try reader.message(field)
    default: try reader.skip(field)
    }
  }
  return (key, value)
}
