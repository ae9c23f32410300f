package import ByteParsing
package import ModelGraph
import Tensors

/// Reads TensorFlow Lite model files: FlatBuffers with the identifier `TFL3`.
package enum TFLiteModel {
  /// Brings an entry point of the file in `bytes` into a graph, checked and with every shape
  /// inferred.
  ///
  /// Nothing is copied but names, shapes and scales: constants are views of `bytes`. Extents that
  /// the model leaves free are 1. Any bytes may be given.
  ///
  /// - Parameter signature: the entry point to read; nil for `serving_default`, else the first one.
  package static func graph(
    from bytes: ByteView, signature: String? = nil
  ) throws(TFLiteError) -> Graph {
    let model = try root(of: bytes)
    let entry = try TFLiteEntryPoints(model).subgraph(of: signature)
    return try TFLiteGraphReader(file: bytes, model: model, entry: entry).read()
  }

  /// The names of all entry points of the file in `bytes`, in its own order.
  package static func signatureKeys(in bytes: ByteView) throws(TFLiteError) -> [String] {
    try TFLiteEntryPoints(root(of: bytes)).all.map(\.key)
  }

  private static func root(of bytes: ByteView) throws(TFLiteError) -> FlatBufferTable {
    let model = try parsing { () throws(ParsingError) in
      try FlatBufferTable(root: bytes, identifier: "TFL3")
    }
    let version = try parsing { () throws(ParsingError) in
      try model.integer(TFLiteSchema.Model.version, default: UInt32(0))
    }
    guard version == TFLiteSchema.version else { throw .schemaVersion(version) }
    return model
  }
}

/// The entry points of a file and the subgraphs that they enter.
private struct TFLiteEntryPoints {
  /// The names in the file's order.
  let all: [(key: String, subgraph: Int)]

  init(_ model: FlatBufferTable) throws(TFLiteError) {
    typealias Schema = TFLiteSchema.Signature
    all = try parsing { () throws(ParsingError) in
      var all: [(key: String, subgraph: Int)] = []
      let tables = try model.tables(
        TFLiteSchema.Model.signatures, limit: TFLiteLimits.signaturesMaximum)
      for table in tables {
        let subgraph = try table.integer(Schema.subgraph, default: UInt32(0))
        all.append((try table.string(Schema.key) ?? "", Int(subgraph)))
      }
      return all
    }
  }

  func subgraph(of key: String?) throws(TFLiteError) -> Int {
    if let key {
      guard let entry = all.first(where: { $0.key == key }) else {
        throw .signatureNotFound(key: key)
      }
      return entry.subgraph
    }
    return (all.first { $0.key == "serving_default" } ?? all.first)?.subgraph ?? 0
  }
}

/// Puts the parts of one file together.
private struct TFLiteGraphReader {
  let file: ByteView
  let model: FlatBufferTable
  /// The subgraph to read.
  let entry: Int

  func read() throws(TFLiteError) -> Graph {
    let subgraphs = try tables(
      model, TFLiteSchema.Model.subgraphs, limit: TFLiteLimits.subgraphsMaximum)
    guard !subgraphs.isEmpty else { throw .noSubgraph }
    guard entry < subgraphs.count else {
      throw .subgraphOutOfRange(index: entry, count: subgraphs.count)
    }
    let subgraph = subgraphs[entry]
    let operations = try operations(of: subgraph)
    let inputs = try ids(subgraph, TFLiteSchema.Subgraph.inputs)
    let outputs = try ids(subgraph, TFLiteSchema.Subgraph.outputs)
    let buffers = TFLiteBuffers(
      file: file,
      tables: try tables(
        model, TFLiteSchema.Model.buffers, limit: TFLiteLimits.buffersMaximum))
    let (values, variables) = try values(
      of: subgraph, buffers, inputs: Set(inputs), computed: Set(operations.flatMap(\.outputs)))
    var assembly = TFLiteAssembly(
      values: values, inputs: inputs, outputs: outputs, variables: variables)
    for operation in operations {
      if case .initialize(let index) = operation {
        assembly.initialize(try initialElements(of: index, subgraphs, buffers))
      } else {
        try assembly.add(operation)
      }
    }
    var graph = assembly.graph()
    graph.settleElementTypes()
    graph.signatures = try signatures(inputs: Set(inputs), outputs: Set(outputs)) {
      assembly.resolve($0)
    }
    graph.description = try description(buffers)
    do throws(GraphError) {
      try graph.validate()
      try graph.inferShapes()
    } catch {
      throw .graph(error)
    }
    graph.settleSignatureShapes()
    return graph
  }

  private func operations(
    of subgraph: FlatBufferTable
  ) throws(TFLiteError) -> [TFLiteOperation] {
    typealias Schema = TFLiteSchema.Operator
    let codes = try TFLiteOperatorCodes(of: model)
    let operators = try tables(
      subgraph, TFLiteSchema.Subgraph.operators, limit: TFLiteLimits.operatorsMaximum)
    let builtins = try codes.builtins(of: operators)
    var operations: [TFLiteOperation] = []
    for (index, (table, builtin)) in zip(operators, builtins).enumerated() {
      let operands = try indices(table, Schema.inputs)
      let reader = TFLiteOperatorReader(
        index: index, builtin: builtin, table: table, operandCount: operands.count)
      let inputs = operands.map { $0 == -1 ? nil : ValueID($0) }
      let outputs = try ids(table, Schema.outputs)
      if builtin.isOnVariables {
        operations.append(try reader.onVariables(inputs: inputs, outputs: outputs))
      } else {
        let intermediates = try ids(table, Schema.intermediates)
        for node in try reader.nodes(inputs, outputs: outputs) {
          operations.append(
            .node(node, hidden: intermediates.count > 4 ? intermediates[4] : nil))
        }
      }
    }
    return operations
  }

  /// The elements that the variables are given in subgraph `index`, which may do nothing else.
  private func initialElements(
    of index: Int, _ subgraphs: [FlatBufferTable], _ buffers: TFLiteBuffers
  ) throws(TFLiteError) -> [TFLiteVariableName: ByteView] {
    guard subgraphs.indices.contains(index) else {
      throw .subgraphOutOfRange(index: index, count: subgraphs.count)
    }
    let operations = try operations(of: subgraphs[index])
    let (values, _) = try values(
      of: subgraphs[index], buffers, inputs: [], computed: Set(operations.flatMap(\.outputs)))
    var names: [ValueID: TFLiteVariableName] = [:]
    var elements: [TFLiteVariableName: ByteView] = [:]
    for operation in operations {
      switch operation {
      case .handle(let name, let output): names[output] = name
      case .assign(let handle, let value, _):
        guard let name = names[handle], values.indices.contains(value.index),
          let constant = values[value.index].constant
        else { throw .variableInitialization(subgraph: index) }
        elements[name] = constant
      case .node, .read, .initialize: throw .variableInitialization(subgraph: index)
      }
    }
    return elements
  }

  private func values(
    of subgraph: FlatBufferTable, _ buffers: TFLiteBuffers, inputs: Set<ValueID>,
    computed: Set<ValueID>
  ) throws(TFLiteError) -> (values: [Value], variables: [ValueID]) {
    let tensors = try tables(
      subgraph, TFLiteSchema.Subgraph.tensors, limit: TFLiteLimits.tensorsMaximum)
    var values: [Value] = []
    var variables: [ValueID] = []
    values.reserveCapacity(tensors.count)
    for (index, table) in tensors.enumerated() {
      let id = ValueID(index)
      let origin: TFLiteTensorReader.Origin =
        inputs.contains(id) ? .input : computed.contains(id) ? .computed : .stored
      let reader = TFLiteTensorReader(
        index: index, table: table, buffers: buffers, origin: origin)
      values.append(try reader.read())
      if try reader.isVariable() { variables.append(id) }
    }
    return (values, variables)
  }

  /// The signatures of the subgraph; `resolve` says what a tensor became.
  private func signatures(
    inputs: Set<ValueID>, outputs: Set<ValueID>, resolve: (ValueID) -> ValueID
  ) throws(TFLiteError) -> [Signature] {
    typealias Schema = TFLiteSchema.Signature
    var result: [Signature] = []
    let stored = try tables(
      model, TFLiteSchema.Model.signatures, limit: TFLiteLimits.signaturesMaximum)
    for (index, table) in stored.enumerated() {
      let subgraph = try parsing { () throws(ParsingError) in
        try table.integer(Schema.subgraph, default: UInt32(0))
      }
      guard subgraph == entry else { continue }
      let key = try parsing { () throws(ParsingError) in try table.string(Schema.key) }
      var outputs = try entries(table, Schema.outputs, among: outputs, of: index)
      for place in outputs.indices { outputs[place].value = resolve(outputs[place].value) }
      result.append(
        Signature(
          key: key ?? "", inputs: try entries(table, Schema.inputs, among: inputs, of: index),
          outputs: outputs))
    }
    return result
  }

  private func entries(
    _ table: FlatBufferTable, _ field: Int, among values: Set<ValueID>, of signature: Int
  ) throws(TFLiteError) -> [Signature.Entry] {
    typealias Schema = TFLiteSchema.TensorMap
    var result: [Signature.Entry] = []
    for map in try tables(table, field, limit: TFLiteLimits.endpointsMaximum) {
      let (name, tensor) = try parsing { () throws(ParsingError) in
        (try map.string(Schema.name), try map.integer(Schema.tensor, default: UInt32(0)))
      }
      let value = ValueID(Int(tensor))
      guard values.contains(value) else {
        throw .signatureTensor(signature: signature, tensor: tensor)
      }
      result.append(Signature.Entry(name: name ?? "", value: value))
    }
    return result
  }

  private func description(_ buffers: TFLiteBuffers) throws(TFLiteError) -> ModelDescription {
    typealias Schema = TFLiteSchema.Metadata
    let text = try parsing { () throws(ParsingError) in
      try model.string(TFLiteSchema.Model.description)
    }
    var description = ModelDescription(text: text ?? "")
    let metadata = try tables(
      model, TFLiteSchema.Model.metadata, limit: TFLiteLimits.metadataMaximum)
    for table in metadata {
      let (name, number) = try parsing { () throws(ParsingError) in
        (try table.string(Schema.name), try table.integer(Schema.buffer, default: UInt32(0)))
      }
      guard name == Schema.minimumRuntimeVersion, number < buffers.count else { continue }
      guard let bytes = try buffers.bytes(at: Int(number)) else { continue }
      // The text is padded with zeros.
      let count = Swift.min(bytes.count, TFLiteLimits.runtimeVersionBytesMaximum)
      let padded = try parsing { () throws(ParsingError) in try bytes.slice(at: 0, count: count) }
      let characters = padded.array.prefix { $0 != 0 }
      description.minimumRuntimeVersion = String(validating: characters, as: UTF8.self) ?? ""
    }
    return description
  }

  private func tables(
    _ table: FlatBufferTable, _ field: Int, limit: Int
  ) throws(TFLiteError) -> [FlatBufferTable] {
    try parsing { () throws(ParsingError) in try table.tables(field, limit: limit) }
  }

  private func indices(_ table: FlatBufferTable, _ field: Int) throws(TFLiteError) -> [Int] {
    try parsing { () throws(ParsingError) in try table.integers(field, as: Int32.self) }?
      .map { Int($0) } ?? []
  }

  private func ids(_ table: FlatBufferTable, _ field: Int) throws(TFLiteError) -> [ValueID] {
    try indices(table, field).map { ValueID($0) }
  }
}

extension Graph {
  /// Gives the results of arithmetic the element type of its operands; some converters leave theirs
  /// out.
  fileprivate mutating func settleElementTypes() {
    for node in nodes {
      guard
        case .binary(let parameters) = node.operation, !parameters.isPredicate, let operand = node.input(0), let result = node.outputs.first,
        values.indices.contains(operand.index), values.indices.contains(result.index)
      else { continue }
      self[result].type.dataType = self[operand].type.dataType
    }
  }

  /// Lets every declared shape agree with the inferred one, except where the model leaves an extent
  /// free.
  fileprivate mutating func settleSignatureShapes() {
    for index in values.indices {
      let inferred = values[index].type.shape
      let declared = values[index].signatureShape
      values[index].signatureShape =
        declared.rank == inferred.rank
        ? Shape(zip(declared.extents, inferred.extents).map { $0 < 0 ? -1 : $1 }) : inferred
    }
  }
}
