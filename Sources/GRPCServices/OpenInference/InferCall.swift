import ByteParsing
import GRPC
import OpenInference
import Serving
import Tensors

/// A `ModelInferRequest`: its names are read at once, its tensors when the version is known.
struct InferCall {
  /// What is asked for of one output.
  struct Output {
    var name: String
    /// How many classes are wanted in place of the data; nil for the data.
    var classCount: Int?
  }

  /// Tensors and outputs of one request.
  static let tensorsMaximum = 1024

  private(set) var model = ""
  private(set) var version = ""
  private(set) var id = ""
  /// In microseconds; nil for as long as it takes.
  private(set) var timeoutMicroseconds: Int?
  /// 1 for the highest; nil for that of the metadata.
  private(set) var priority: Int?
  /// What groups requests; nil when the client says nothing.
  private(set) var key: String?
  private(set) var outputs: [Output] = []
  private var inputs: [ProtobufReader] = []
  private var raw: [ArraySlice<UInt8>] = []

  init(_ message: [UInt8]) throws {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: model = try reader.text(field)
      case 2: version = try reader.text(field)
      case 3: id = try reader.text(field)
      case 4:
        let (name, value) = try readEntry(try reader.message(field))
        if name == RequestTerms.keyParameter, let value { key = try Self.text(value) }
        if name == "timeout" { timeoutMicroseconds = try Self.timeout(value) }
        if name == "priority" { priority = try Self.priority(value) }
      case 5: inputs.append(try reader.message(field))
      case 6: outputs.append(try Self.output(try reader.message(field)))
      case 7: raw.append(try reader.bytes(field))
      default: try reader.skip(field)
      }
      guard max(inputs.count, outputs.count, raw.count) <= Self.tensorsMaximum else {
        throw ProtobufError.tooManyElements(field: field.number, limit: Self.tensorsMaximum)
      }
    }
  }

  /// Whether tensors came as raw bytes, or lie in memory of the client, and so the reply's are to be
  /// raw.
  var isRaw: Bool {
    guard raw.isEmpty else { return true }
    return (try? inputs.contains { try InferInput($0, index: 0).isShared }) ?? false
  }

  /// The request for the service.
  ///
  /// - Throws: `RequestError`, `ServingError`, `ProtobufError`, or a `GRPCStatus` when the tensors
  ///   do not fit into memory.
  func inference(
    _ description: VersionDescription, _ call: GRPCCall, _ terms: RequestTerms,
    batchMaximum: Int, regions: (String) -> TensorMemory? = { _ in nil }
  ) throws -> InferenceRequest {
    guard !inputs.isEmpty else { throw RequestError.noInputs }
    let read = try inputs.enumerated().map { try InferInput($1, index: $0) }
    // Inputs in memory of the client have no raw bytes among the others'.
    let sent = read.filter { !$0.isShared }.count
    guard raw.isEmpty || raw.count == sent else {
      throw RequestError.rawCount(expected: sent, actual: raw.count)
    }
    var tensors: [NamedTensor] = []
    var next = raw.startIndex
    for input in read {
      let bytes = raw.isEmpty || input.isShared ? nil : raw[next]
      if bytes != nil { next += 1 }
      tensors.append(
        try input.tensor(
          raw: bytes, description, call.memory, batchMaximum: batchMaximum, regions: regions))
    }
    var terms = terms
    terms.narrow(timeoutMicroseconds: timeoutMicroseconds)
    if let priority { terms.priority = RequestPriority(number: priority) }
    return InferenceRequest(
      inputs: tensors, outputNames: outputs.isEmpty ? nil : outputs.map(\.name), terms: terms)
  }

  private static func priority(_ value: ProtobufReader?) throws -> Int? {
    guard let value, let number = try integer(value) else { return nil }
    guard number >= 0 else { throw RequestError.priority(number) }
    return number == 0 ? nil : number
  }

  private static func timeout(_ value: ProtobufReader?) throws -> Int? {
    guard let value, let number = try integer(value) else { return nil }
    guard number >= 0 else { throw RequestError.timeout(number) }
    // The protocol's 0 is no timeout.
    return number == 0 ? nil : number
  }

  private static func output(_ reader: ProtobufReader) throws -> Output {
    var reader = reader
    var output = Output(name: "")
    while let field = try reader.next() {
      switch field.number {
      case 1: output.name = try reader.text(field)
      case 2:
        let (name, value) = try readEntry(try reader.message(field))
        if name == "classification", let value { output.classCount = try integer(value) }
        guard name != "shared_memory_region" else {
          throw RequestError.sharedOutput(output.name)
        }
      default: try reader.skip(field)
      }
    }
    if let count = output.classCount, count < 1 {
      throw RequestError.classCount(count, output: output.name)
    }
    return output
  }

  /// The text of a parameter; nil when it holds something else.
  static func text(_ value: ProtobufReader) throws(ProtobufError) -> String? {
    var value = value
    var result: String?
    while let field = try value.next() {
      if field.number == 3 { result = try value.text(field) } else { try value.skip(field) }
    }
    return result
  }

  /// The integer of a parameter; nil when it holds something else.
  static func integer(_ value: ProtobufReader) throws(ProtobufError) -> Int? {
    var value = value
    var result: Int?
    while let field = try value.next() {
      switch field.number {
      case 2: result = Int(try value.int64(field))
      case 5: result = Int(clamping: try value.integer(field))
      default: try value.skip(field)
      }
    }
    return result
  }
}
