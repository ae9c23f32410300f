import ByteParsing
package import GRPC
import OpenInference

/// What the log and traces are set to, and how they are changed.
package struct ServerSettings: Sendable {
  /// Switches of the log; nil for what a change leaves alone.
  package struct Log: Sendable, Equatable {
    package var file: String?
    package var info: Bool?
    package var warning: Bool?
    package var error: Bool?
    package var verboseLevel: UInt32?
    package var format: String?

    package init() {}
  }

  /// What traces may be changed in; nil for what a change leaves alone.
  package struct Trace: Sendable, Equatable {
    package var level: [String]?
    /// One of so many requests leaves a trace.
    package var rate: Int?

    package init() {}
  }

  package var log: @Sendable () -> Log
  /// Why nothing was changed; nil when it was.
  package var changeLog: @Sendable (Log) -> GRPCStatus?
  /// Every setting of traces by its name.
  package var trace: @Sendable () -> [(name: String, values: [String])]
  package var changeTrace: @Sendable (Trace) -> GRPCStatus?

  package init(
    log: @escaping @Sendable () -> Log,
    changeLog: @escaping @Sendable (Log) -> GRPCStatus?,
    trace: @escaping @Sendable () -> [(name: String, values: [String])],
    changeTrace: @escaping @Sendable (Trace) -> GRPCStatus?
  ) {
    self.log = log
    self.changeLog = changeLog
    self.trace = trace
    self.changeTrace = changeTrace
  }
}

extension OpenInferenceMethods {
  /// `LogSettings`: changes what the request names, where administrators ask, and gives all there is.
  func logSettings(_ call: GRPCCall) throws -> GRPCReply {
    let settings = administration.settings
    var wanted = ServerSettings.Log()
    let (entries, _) = try Self.request(call)
    for (name, value) in entries { try wanted.set(name, value) }
    if !entries.isEmpty {
      try administration.check(call)
      if let refusal = settings.changeLog(wanted) { throw refusal }
    }
    let log = settings.log()
    return .message { reply in
      reply.entry(1, "log_file") { $0.element(3, log.file ?? "") }
      for (name, value) in [
        ("log_info", log.info), ("log_warning", log.warning), ("log_error", log.error),
      ] {
        reply.entry(1, name) { $0.element(1, value ?? false ? 1 : 0) }
      }
      reply.entry(1, "log_verbose_level") { $0.element(2, UInt64(log.verboseLevel ?? 0)) }
      reply.entry(1, "log_format") { $0.element(3, log.format ?? "") }
    }
  }

  /// `TraceSetting`, of all models alike.
  func traceSetting(_ call: GRPCCall) throws -> GRPCReply {
    let settings = administration.settings
    var wanted = ServerSettings.Trace()
    let (entries, model) = try Self.request(call)
    for (name, value) in entries { try wanted.set(name, value) }
    if !entries.isEmpty {
      try administration.check(call)
      guard model.isEmpty else {
        throw GRPCStatus(.invalidArgument, "trace settings are of all models: leave model_name out")
      }
      if let refusal = settings.changeTrace(wanted) { throw refusal }
    }
    return .message { reply in
      for setting in settings.trace() {
        reply.entry(1, setting.name) { value in
          for text in setting.values { value.element(1, text) }
        }
      }
    }
  }

  /// The settings that a request names, in its order, and the model that it is about.
  private static func request(
    _ call: GRPCCall
  ) throws(ProtobufError) -> (entries: [(String, ProtobufReader?)], model: String) {
    var reader = ProtobufReader(call.message)
    var entries: [(String, ProtobufReader?)] = []
    var model = ""
    while let field = try reader.next() {
      switch field.number {
      case 1:
        guard entries.count < settingsMaximum else {
          throw .tooManyElements(field: 1, limit: settingsMaximum)
        }
        entries.append(try readEntry(try reader.message(field)))
      case 2: model = try reader.text(field)
      default: try reader.skip(field)
      }
    }
    return (entries, model)
  }

  /// Settings that one request may name.
  private static let settingsMaximum = 32
}

extension ServerSettings.Log {
  /// Takes in one setting; one without a value is left alone.
  fileprivate mutating func set(_ name: String, _ value: ProtobufReader?) throws {
    switch name {
    case "log_file": file = try Self.text(name, value)
    case "log_info": info = try Self.flag(name, value)
    case "log_warning": warning = try Self.flag(name, value)
    case "log_error": error = try Self.flag(name, value)
    case "log_verbose_level": verboseLevel = try Self.number(name, value)
    case "log_format": format = try Self.text(name, value)
    default: throw GRPCStatus(.invalidArgument, "unknown log setting '\(name.prefix(100))'")
    }
  }

  /// Reads the member `field` of the choice that a value is; nil when it is none.
  private static func read<Value>(
    _ name: String, _ value: ProtobufReader?, _ field: Int, _ kind: String,
    _ body: (inout ProtobufReader, ProtobufField) throws(ProtobufError) -> Value
  ) throws -> Value? {
    guard var value else { return nil }
    var result: Value?
    while let found = try value.next() {
      switch found.number {
      case field: result = try body(&value, found)
      case 1...3: throw GRPCStatus(.invalidArgument, "the log setting '\(name)' is a \(kind)")
      default: try value.skip(found)
      }
    }
    return result
  }

  private static func flag(_ name: String, _ value: ProtobufReader?) throws -> Bool? {
    try read(name, value, 1, "bool") { (reader, field) throws(ProtobufError) in
      try reader.bool(field)
    }
  }

  private static func number(_ name: String, _ value: ProtobufReader?) throws -> UInt32? {
    try read(name, value, 2, "uint32") { (reader, field) throws(ProtobufError) in
      UInt32(clamping: try reader.integer(field))
    }
  }

  private static func text(_ name: String, _ value: ProtobufReader?) throws -> String? {
    try read(name, value, 3, "string") { (reader, field) throws(ProtobufError) in
      try reader.text(field)
    }
  }
}

extension ServerSettings.Trace {
  /// Takes in one setting; one without a value is left alone.
  fileprivate mutating func set(_ name: String, _ value: ProtobufReader?) throws {
    var values: [String] = []
    if var value {
      while let field = try value.next() {
        guard field.number == 1, values.count < Self.valuesMaximum else {
          try value.skip(field)
          continue
        }
        values.append(try value.text(field))
      }
    }
    guard !values.isEmpty else { return }
    switch name {
    case "trace_level": level = values
    case "trace_rate":
      guard values.count == 1, let number = Int(values[0]) else {
        throw GRPCStatus(.invalidArgument, "trace_rate is one number")
      }
      rate = number
    default:
      throw GRPCStatus(
        .invalidArgument, "trace_level and trace_rate can be set; '\(name.prefix(100))' cannot")
    }
  }

  /// Values of one setting that are looked at.
  private static let valuesMaximum = 8
}
