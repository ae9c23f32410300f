import ByteParsing
import GRPC
import Serving
import TensorFlowServing
import Tensors

/// The `Input` of a classification or regression: examples whose features are the model's inputs by
/// name.
struct ExampleInput {
  private var examples: [ProtobufReader] = []
  private var context: ProtobufReader?

  /// - Parameter message: A request with an `Input` in field 2.
  init(_ message: [UInt8], maximum: Int) throws {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      if field.number == 2 {
        try read(try reader.message(field), maximum: maximum)
      } else {
        try reader.skip(field)
      }
    }
    guard !examples.isEmpty else { throw TensorFlowRefusal.noExamples }
  }

  /// An `Input`: examples in field 1, or in field 2 with a context that they share.
  private mutating func read(_ start: ProtobufReader, maximum: Int) throws {
    var input = start
    while let field = try input.next() {
      guard field.number == 1 || field.number == 2 else {
        try input.skip(field)
        continue
      }
      var list = try input.message(field)
      while let inner = try list.next() {
        switch inner.number {
        case 1:
          guard examples.count < maximum else {
            throw ServingError.batchTooLarge(limit: maximum, actual: examples.count + 1)
          }
          examples.append(try list.message(inner))
        case 2 where field.number == 2: context = try list.message(inner)
        default: try list.skip(inner)
        }
      }
    }
  }

  /// The tensors of all examples.
  func tensors(
    _ inputs: [TensorSpecification], _ memory: CallMemory
  ) throws -> [NamedTensor] {
    let shared = try context.map { try Self.features($0) } ?? [:]
    var elements: [TypedElements] = []
    for input in inputs {
      let count = (input.type.shape.elementCount ?? 0) * examples.count
      try memory.take(input.type.dataType.byteCount(of: count) ?? 0)
      elements.append(TypedElements(input.type.dataType, count: count))
    }
    for (row, example) in examples.enumerated() {
      let features = try Self.features(example)
      for (index, input) in inputs.enumerated() {
        guard let feature = features[input.name] ?? shared[input.name] else {
          throw TensorFlowRefusal.missingFeature(input.name, row: row)
        }
        let before = elements[index].count
        let expected = input.type.shape.elementCount ?? 0
        try Self.append(feature, to: &elements[index], input)
        guard elements[index].count - before == expected else {
          throw TensorFlowRefusal.featureSize(
            input.name, expected: expected, actual: elements[index].count - before)
        }
      }
    }
    return zip(inputs, elements).map { input, elements in
      NamedTensor(
        name: input.name, dataType: input.type.dataType,
        shape: input.type.shape.repeated(rows: examples.count), bytes: elements.bytes)
    }
  }

  /// The features of an `Example` by name, unread.
  private static func features(
    _ start: ProtobufReader
  ) throws(ProtobufError) -> [String: ProtobufReader] {
    var example = start
    var features: [String: ProtobufReader] = [:]
    while let field = try example.next() {
      guard field.number == 1 else {
        try example.skip(field)
        continue
      }
      var map = try example.message(field)
      while let entry = try map.next() {
        guard entry.number == 1 else {
          try map.skip(entry)
          continue
        }
        let (name, feature) = try readEntry(try map.message(entry))
        features[name] = feature ?? ProtobufReader([])
      }
    }
    return features
  }

  /// Appends the values of a `Feature`: bytes in field 1, floats in field 2, integers in field 3.
  private static func append(
    _ start: ProtobufReader, to elements: inout TypedElements, _ input: TensorSpecification
  ) throws {
    let type = input.type.dataType
    var feature = start
    while let field = try feature.next() {
      var list = try feature.message(field)
      while let value = try list.next() {
        switch field.number {
        case 1 where type == .string: elements.append(string: try list.bytes(value))
        case 2 where type == .float32: elements.append(raw: try list.fixed32Elements(value))
        case 2 where type == .float64:
          for number in floats(try list.fixed32Elements(value)) { elements.append(number: number) }
        case 3:
          var misfit: Int64?
          try list.integers(value) { (bits) throws(ProtobufError) in
            if type.isFloatingPoint {
              elements.append(number: Double(Int64(bitPattern: bits)))
            } else if !elements.append(bits) {
              misfit = misfit ?? Int64(bitPattern: bits)
            }
          }
          if let misfit { throw TensorFlowRefusal.valueRange(misfit, input: input.name, type) }
        default:
          throw ServingError.wrongDataType(
            input: input.name, expected: type, actual: field.number == 2 ? .float32 : .string)
        }
      }
    }
  }

  private static func floats(_ bytes: ArraySlice<UInt8>) -> [Double] {
    stride(from: bytes.startIndex, to: bytes.endIndex, by: 4).map { place in
      let bits = bytes[place..<(place + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return Double(Float(bitPattern: bits))
    }
  }
}

extension ProtobufWriter {
  /// A `ClassificationResult`.
  mutating func classificationResult(
    _ field: Int, _ response: InferenceResponse, labels: [String]
  ) {
    message(field) { result in
      for classes in classifications(response, labels: labels) {
        result.message(1) { row in
          for entry in classes {
            row.message(1) {
              $0.text(1, entry.label)
              $0.float(2, entry.score)
            }
          }
        }
      }
    }
  }

  /// A `RegressionResult`.
  mutating func regressionResult(_ field: Int, _ response: InferenceResponse) {
    message(field) { result in
      for value in regressions(response) { result.message(1) { $0.float(1, value) } }
    }
  }
}
