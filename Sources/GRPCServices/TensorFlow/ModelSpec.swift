import ByteParsing
import GRPC
import Serving

/// A `ModelSpec`: the model, version and signature that a call names.
struct ModelSpec {
  var model = ""
  var selector = VersionSelector.latest
  var signature = ""

  init() {}

  init(_ start: ProtobufReader) throws(ProtobufError) {
    var reader = start
    while let field = try reader.next() {
      switch field.number {
      case 1: model = try reader.text(field)
      case 2: selector = .version(try Self.wrapped(try reader.message(field)))
      case 3: signature = try reader.text(field)
      case 4: selector = .label(try reader.text(field))
      default: try reader.skip(field)
      }
    }
  }

  /// The value of an `Int64Value`.
  private static func wrapped(_ start: ProtobufReader) throws(ProtobufError) -> Int64 {
    var reader = start
    var value: Int64 = 0
    while let field = try reader.next() {
      if field.number == 1 { value = try reader.int64(field) } else { try reader.skip(field) }
    }
    return value
  }
}

extension ProtobufWriter {
  /// The `ModelSpec` of what answered.
  ///
  /// - Parameter fallback: the model that answered in place of the described one.
  mutating func modelSpec(
    _ field: Int, _ description: VersionDescription, signature: String, fallback: String? = nil
  ) {
    message(field) { spec in
      spec.text(1, fallback ?? description.model)
      spec.message(2) { $0.int64(1, description.version) }
      spec.text(3, signature)
    }
  }
}
