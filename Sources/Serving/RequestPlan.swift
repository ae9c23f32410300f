import Tensors

/// A request that was checked against its version: how its bytes map onto rows of the program.
struct RequestPlan: Sendable {
  /// One input of the model.
  struct Input: Sendable {
    /// Index in the request.
    var tensor: Int
    /// Bytes of one row, what the program reads.
    var rowBytes: Int
  }

  /// One output of the reply.
  struct Output: Sendable {
    /// Index in the model.
    var index: Int
    /// 0 for an open shape.
    var rowBytes: Int
    /// The shape of all rows; −1 where it follows from what the model computes.
    var shape: Shape

    var isOpen: Bool { !shape.isConcrete }
  }

  /// Rows of the program's batch that the request holds.
  let rows: Int
  /// In the model's order.
  let inputs: [Input]
  /// In the order of the reply.
  let outputs: [Output]
  /// Whether the shape of one of them follows from what the model computes.
  let hasOpenOutputs: Bool

  init(
    _ request: InferenceRequest, _ description: VersionDescription, batchMaximum: Int,
    rules: InputRules = InputRules()
  ) throws(ServingError) {
    let order = try Self.matchNames(request, description)
    var rows: Int?
    var inputs: [Input] = []
    for (specification, tensor) in zip(description.inputs, order) {
      let here = try Self.rows(of: request.inputs[tensor], specification)
      if let rows, rows != here {
        throw .batchMismatch(input: specification.name, expected: rows, actual: here)
      }
      guard here <= batchMaximum else { throw .batchTooLarge(limit: batchMaximum, actual: here) }
      let rowBytes = specification.type.byteCount ?? 0
      let (expected, overflow) = rowBytes.multipliedReportingOverflow(by: here)
      let actual = request.inputs[tensor].byteCount
      guard !overflow, actual == expected else {
        throw .wrongByteCount(input: specification.name, expected: expected, actual: actual)
      }
      if !rules.isTrivial, let index = rules.firstViolation(request.inputs[tensor]) {
        throw .elementNotAdmitted(input: specification.name, index: index)
      }
      rows = here
      inputs.append(Input(tensor: tensor, rowBytes: rowBytes))
    }
    self.rows = rows ?? 1
    self.inputs = inputs
    outputs = try Self.outputs(request, description, rows: rows ?? 1)
    hasOpenOutputs = outputs.contains(where: \.isOpen)
    // Rows of different shapes make no tensor.
    if self.rows > 1, hasOpenOutputs {
      throw .batchTooLarge(limit: 1, actual: self.rows)
    }
  }

  /// For each input of the model, the index of its tensor in the request.
  private static func matchNames(
    _ request: InferenceRequest, _ description: VersionDescription
  ) throws(ServingError) -> [Int] {
    for (index, tensor) in request.inputs.enumerated() {
      guard description.inputs.contains(where: { $0.name == tensor.name }) else {
        throw .unknownInput(name: tensor.name)
      }
      if request.inputs[..<index].contains(where: { $0.name == tensor.name }) {
        throw .duplicateInput(name: tensor.name)
      }
    }
    var order: [Int] = []
    for input in description.inputs {
      guard let index = request.inputs.firstIndex(where: { $0.name == input.name }) else {
        throw .missingInput(name: input.name)
      }
      order.append(index)
    }
    return order
  }

  /// The number of rows of `tensor`: its leading extent over the program's.
  private static func rows(
    of tensor: NamedTensor, _ specification: TensorSpecification
  ) throws(ServingError) -> Int {
    let type = specification.type
    guard tensor.dataType == type.dataType else {
      throw .wrongDataType(
        input: tensor.name, expected: type.dataType, actual: tensor.dataType)
    }
    let wrong = ServingError.wrongShape(
      input: tensor.name, expected: specification.signatureShape, actual: tensor.shape)
    guard tensor.shape.rank == type.shape.rank, tensor.shape.isConcrete else { throw wrong }
    if type.shape.rank == 0 || tensor.shape == type.shape { return 1 }
    let leading = type.shape[0]
    guard tensor.shape.extents.dropFirst() == type.shape.extents.dropFirst(),
      leading > 0, tensor.shape[0] > 0, tensor.shape[0] % leading == 0
    else { throw wrong }
    return tensor.shape[0] / leading
  }

  private static func outputs(
    _ request: InferenceRequest, _ description: VersionDescription, rows: Int
  ) throws(ServingError) -> [Output] {
    var indices = Array(description.outputs.indices)
    if let names = request.outputNames {
      indices = []
      for name in names {
        guard let index = description.outputs.firstIndex(where: { $0.name == name }) else {
          throw .unknownOutput(name: name)
        }
        if !indices.contains(index) { indices.append(index) }
      }
    }
    return indices.map { index in
      let type = description.outputs[index].type
      return Output(
        index: index, rowBytes: type.byteCount ?? 0, shape: batched(type.shape, rows: rows))
    }
  }

  /// A scalar of each row becomes a vector.
  private static func batched(_ shape: Shape, rows: Int) -> Shape {
    guard rows > 1 else { return shape }
    guard shape.rank > 0 else { return Shape([rows]) }
    return Shape([shape[0] * rows] + shape.extents.dropFirst())
  }
}
