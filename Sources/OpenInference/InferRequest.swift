package import Serving
internal import TensorJSON
internal import Tensors

/// An inference request of the protocol, read from the body of a POST.
package struct InferRequest: Sendable {
  /// What is asked for of one output.
  package struct Output: Sendable, Equatable {
    package var name: String
    /// Whether its data are to be binary; nil leaves it to the request.
    package var isBinary: Bool?
    /// How many classes are wanted in place of the data; nil for the data.
    package var classCount: Int?
  }

  package var id: String?
  package var inputs: [NamedTensor] = []
  /// Nil for all.
  package var outputs: [Output]?
  /// Whether outputs that do not say otherwise are to be binary.
  package var prefersBinary = false
  /// How long the request may wait until it begins, in microseconds; nil for as long as it takes.
  package var timeoutMicroseconds: Int?
  /// 1 for the highest; nil for that of the transport.
  package var priority: Int?

  package init() {}

  /// Whether the data of the output called `name` are to follow the JSON header.
  package func isBinary(_ name: String) -> Bool {
    outputs?.first { $0.name == name }?.isBinary ?? prefersBinary
  }

  /// How many classes are wanted of the output called `name`; nil for its data.
  package func classCount(_ name: String) -> Int? {
    outputs?.first { $0.name == name }?.classCount
  }

  /// The request for the service.
  package var inference: InferenceRequest {
    inference(RequestTerms())
  }

  /// The request for the service, on the terms of the transport and its own.
  package func inference(_ terms: RequestTerms) -> InferenceRequest {
    var terms = terms
    terms.narrow(timeoutMicroseconds: timeoutMicroseconds)
    if let priority { terms.priority = RequestPriority(number: priority) }
    return InferenceRequest(inputs: inputs, outputNames: outputs?.map(\.name), terms: terms)
  }
}

extension InferRequest {
  /// Reads a body.
  ///
  /// - Parameters:
  ///   - body: A JSON document, and behind it the binary part, if any.
  ///   - headerLength: Bytes of the JSON document; nil when it is the whole body.
  ///   - description: The version that is asked; tells how much room its inputs take.
  ///   - regions: Finds memory of the client's by its name.
  /// - Throws: `RequestError` or `JSONError`.
  package init(
    body: [UInt8], headerLength: Int?, description: VersionDescription,
    regions: (String) -> TensorMemory? = { _ in nil }
  ) throws {
    let header = headerLength ?? body.count
    guard 0...body.count ~= header else { throw RequestError.headerLength("\(header)") }
    if headerLength == 0 {
      self = try .init(raw: body, description)
      return
    }
    var reader = JSONReader(header == body.count ? body : Array(body[..<header]))
    var pending: [InputReader] = []
    var seen = SeenFields()
    try reader.openObject()
    while let key = try reader.nextKey() {
      try seen.insert(key)
      switch key {
      case "id": id = try reader.readString()
      case "parameters":
        let parameters = try reader.readParameters()
        prefersBinary = parameters.prefersBinary ?? false
        if let timeout = parameters.timeoutMicroseconds {
          guard timeout >= 0 else { throw RequestError.timeout(timeout) }
          // The protocol's 0 is no timeout.
          timeoutMicroseconds = timeout == 0 ? nil : timeout
        }
        if let number = parameters.priority {
          guard number >= 0 else { throw RequestError.priority(number) }
          priority = number == 0 ? nil : number
        }
      case "inputs":
        try reader.openArray()
        while try reader.nextElement() {
          pending.append(try InputReader(&reader, index: pending.count, description))
        }
      case "outputs": outputs = try Self.readOutputs(&reader)
      default: try reader.skipValue()
      }
    }
    try reader.expectEnd()
    guard !pending.isEmpty else { throw RequestError.noInputs }
    var offset = header
    for input in pending { inputs.append(try input.finish(body, &offset, regions)) }
    guard offset == body.count else { throw RequestError.binaryLong(extra: body.count - offset) }
  }

  /// A body without a header: the elements of the only input, of one row.
  private init(raw body: [UInt8], _ description: VersionDescription) throws {
    guard description.inputs.count == 1 else {
      throw RequestError.rawInputs(count: description.inputs.count)
    }
    let input = description.inputs[0]
    var bytes = body
    if input.type.dataType == .string {
      bytes = []
      StringElements.append(body, to: &bytes)
    }
    inputs = [
      NamedTensor(
        name: input.name, dataType: input.type.dataType, shape: input.type.shape, bytes: bytes)
    ]
    prefersBinary = true
  }

  private static func readOutputs(_ reader: inout JSONReader) throws -> [Output] {
    var outputs: [Output] = []
    try reader.openArray()
    while try reader.nextElement() {
      var name: String?
      var parameters = Parameters()
      try reader.openObject()
      while let key = try reader.nextKey() {
        switch key {
        case "name": name = try reader.readString()
        case "parameters": parameters = try reader.readParameters()
        default: try reader.skipValue()
        }
      }
      guard let name else {
        throw RequestError.missingField("name of output", input: outputs.count)
      }
      if let count = parameters.classCount, count < 1 {
        throw RequestError.classCount(count, output: name)
      }
      guard parameters.region == nil else { throw RequestError.sharedOutput(name) }
      outputs.append(
        Output(name: name, isBinary: parameters.isBinary, classCount: parameters.classCount))
    }
    return outputs
  }
}

/// The fields of one object that have come, to refuse a second of the same name.
struct SeenFields {
  private static let known = [
    "name", "datatype", "shape", "data", "parameters", "id", "inputs", "outputs",
  ]
  private var bits: UInt8 = 0

  /// Fields that the protocol does not name may come as often as they like.
  mutating func insert(_ key: String) throws(RequestError) {
    guard let index = Self.known.firstIndex(of: key) else { return }
    guard bits & 1 << UInt8(index) == 0 else { throw .duplicateField(key) }
    bits |= 1 << UInt8(index)
  }
}

/// The parameters that edgeserve heeds; others are passed over.
struct Parameters {
  var isBinary: Bool?
  var prefersBinary: Bool?
  var binaryByteCount: Int?
  var classCount: Int?
  var timeoutMicroseconds: Int?
  var priority: Int?
  var region: String?
  var regionOffset: Int?
  var regionByteCount: Int?
}

extension JSONReader {
  mutating func readParameters() throws(JSONError) -> Parameters {
    var parameters = Parameters()
    try openObject()
    while let key = try nextKey() {
      switch key {
      case "binary_data": parameters.isBinary = try readBool()
      case "binary_data_output": parameters.prefersBinary = try readBool()
      case "binary_data_size": parameters.binaryByteCount = try readInteger()
      case "classification": parameters.classCount = try readInteger()
      case "timeout": parameters.timeoutMicroseconds = try readInteger()
      case "priority": parameters.priority = try readInteger()
      case "shared_memory_region": parameters.region = try readString()
      case "shared_memory_offset": parameters.regionOffset = try readInteger()
      case "shared_memory_byte_size": parameters.regionByteCount = try readInteger()
      default: try skipValue()
      }
    }
    return parameters
  }
}
