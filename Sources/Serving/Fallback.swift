import Synchronization
import Tensors

/// Who answers when a model cannot, in this order; each answer says so.
package struct Fallback: Sendable, Equatable {
  /// Models that take the same inputs.
  package var models: [String] = []
  /// The numbers of each output, the same for every row, when no model is left; nil for none.
  package var answer: [String: [Double]]?

  /// Models of one chain.
  package static let modelsMaximum = 8
  /// What stands for a model's name where an answer is constant.
  package static let constant = "constant"

  package init() {}

  var isEmpty: Bool { models.isEmpty && answer == nil }

  /// Whether another may answer in place of one that failed so.
  static func stepsIn(for error: ServingError) -> Bool {
    switch error {
    case .notReady, .queueFull, .overMemory: true
    default: false
    }
  }

  /// The constant answer in the form of the model's outputs; nil when there is none, or it does not
  /// fit them.
  func constantResponse(
    _ plan: RequestPlan, _ description: VersionDescription
  ) -> InferenceResponse? {
    guard let answer else { return nil }
    var outputs: [NamedTensor] = []
    for output in plan.outputs {
      let specification = description.outputs[output.index]
      guard let numbers = answer[specification.name],
        let row = specification.type.dataType.bytes(of: numbers), row.count == output.rowBytes, !output.isOpen
      else { return nil }
      outputs.append(
        NamedTensor(
          name: specification.name, dataType: specification.type.dataType, shape: output.shape,
          bytes: (0..<plan.rows).flatMap { _ in row }))
    }
    var response = InferenceResponse(version: description.version, outputs: outputs)
    response.fallback = Self.constant
    return response
  }
}

extension DataType {
  /// The elements that `numbers` are, little-endian; nil for a type without numbers, or one that
  /// does not hold them.
  fileprivate func bytes(of numbers: [Double]) -> [UInt8]? {
    func integers<T: FixedWidthInteger>(_: T.Type) -> [UInt8]? {
      var bytes: [UInt8] = []
      for number in numbers {
        guard let value = T(exactly: number) else { return nil }
        for shift in stride(from: 0, to: T.bitWidth, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
      }
      return bytes
    }
    func patterns<T: FixedWidthInteger>(_ pattern: (Double) -> T) -> [UInt8] {
      numbers.flatMap { number in
        stride(from: 0, to: T.bitWidth, by: 8).map {
          UInt8(truncatingIfNeeded: pattern(number) >> T($0))
        }
      }
    }
    return switch self {
    case .int8: integers(Int8.self)
    case .uint8, .bool: integers(UInt8.self)
    case .int16: integers(Int16.self)
    case .uint16: integers(UInt16.self)
    case .int32: integers(Int32.self)
    case .uint32: integers(UInt32.self)
    case .int64: integers(Int64.self)
    case .uint64: integers(UInt64.self)
    case .float32: patterns { Float($0).bitPattern }
    case .float64: patterns { $0.bitPattern }
    case .float16, .int4, .complex64, .string: nil
    }
  }
}

extension VersionDescription {
  /// Whether requests for `other` can be answered by this one: the same inputs by name and type,
  /// and at least the same outputs.
  func standsIn(for other: VersionDescription) -> Bool {
    inputs.count == other.inputs.count
      && other.inputs.allSatisfy { wanted in
        inputs.contains { $0.name == wanted.name && $0.type.dataType == wanted.type.dataType
          && $0.type.shape == wanted.type.shape
        }
      }
      && other.outputs.allSatisfy { wanted in
        outputs.contains { $0.name == wanted.name && $0.type.dataType == wanted.type.dataType
          && $0.type.shape == wanted.type.shape
        }
      }
  }
}
