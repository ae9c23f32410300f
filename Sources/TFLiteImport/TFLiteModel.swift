package import ByteParsing
package import ModelGraph
import Tensors

/// Reads TensorFlow Lite model files: FlatBuffers with the identifier `TFL3`.
package enum TFLiteModel {
  /// Brings the first subgraph of the file in `bytes` into a graph, checked and with every shape
  /// inferred.
  ///
  /// Nothing is copied but names, shapes and scales: constants are views of `bytes`. Extents that
  /// the model leaves free are 1. Any bytes may be given.
  package static func graph(from bytes: ByteView) throws(TFLiteError) -> Graph {
    let model = try parsing { () throws(ParsingError) in
      try FlatBufferTable(root: bytes, identifier: "TFL3")
    }
    let version = try parsing { () throws(ParsingError) in
      try model.integer(TFLiteSchema.Model.version, default: UInt32(0))
    }
    guard version == TFLiteSchema.version else { throw .schemaVersion(version) }
    return try TFLiteGraphReader(file: bytes, model: model).read()
  }
}

/// Puts the parts of one file together.
private struct TFLiteGraphReader {
  let file: ByteView
  let model: FlatBufferTable

  func read() throws(TFLiteError) -> Graph {
    let subgraphs = try tables(
      model, TFLiteSchema.Model.subgraphs, limit: TFLiteLimits.subgraphsMaximum)
    guard let subgraph = subgraphs.first else { throw .noSubgraph }
    let nodes = try nodes(of: subgraph)
    let inputs = try ids(subgraph, TFLiteSchema.Subgraph.inputs)
    let outputs = try ids(subgraph, TFLiteSchema.Subgraph.outputs)
    let buffers = TFLiteBuffers(
      file: file,
      tables: try tables(
        model, TFLiteSchema.Model.buffers, limit: TFLiteLimits.buffersMaximum))
    var graph = Graph(
      values: try values(
        of: subgraph, buffers, inputs: Set(inputs), computed: Set(nodes.flatMap(\.outputs))),
      nodes: nodes, inputs: inputs, outputs: outputs)
    graph.settleElementTypes()
    graph.signatures = try signatures(inputs: Set(inputs), outputs: Set(outputs))
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

  private func nodes(of subgraph: FlatBufferTable) throws(TFLiteError) -> [Node] {
    typealias Schema = TFLiteSchema.Operator
    let codes = try TFLiteOperatorCodes(of: model)
    let operators = try tables(
      subgraph, TFLiteSchema.Subgraph.operators, limit: TFLiteLimits.operatorsMaximum)
    let builtins = try codes.builtins(of: operators)
    var nodes: [Node] = []
    for (index, (table, builtin)) in zip(operators, builtins).enumerated() {
      let operands = try indices(table, Schema.inputs)
      let reader = TFLiteOperatorReader(
        index: index, builtin: builtin, table: table, operandCount: operands.count)
      nodes.append(
        Node(
          try reader.read(), inputs: operands.map { $0 == -1 ? nil : ValueID($0) },
          outputs: try ids(table, Schema.outputs)))
    }
    return nodes
  }

  private func values(
    of subgraph: FlatBufferTable, _ buffers: TFLiteBuffers, inputs: Set<ValueID>,
    computed: Set<ValueID>
  ) throws(TFLiteError) -> [Value] {
    let tensors = try tables(
      subgraph, TFLiteSchema.Subgraph.tensors, limit: TFLiteLimits.tensorsMaximum)
    var values: [Value] = []
    values.reserveCapacity(tensors.count)
    for (index, table) in tensors.enumerated() {
      let id = ValueID(index)
      let origin: TFLiteTensorReader.Origin =
        inputs.contains(id) ? .input : computed.contains(id) ? .computed : .stored
      let reader = TFLiteTensorReader(
        index: index, table: table, buffers: buffers, origin: origin)
      values.append(try reader.read())
    }
    return values
  }

  /// The signatures of the first subgraph.
  private func signatures(
    inputs: Set<ValueID>, outputs: Set<ValueID>
  ) throws(TFLiteError) -> [Signature] {
    typealias Schema = TFLiteSchema.Signature
    var result: [Signature] = []
    let stored = try tables(
      model, TFLiteSchema.Model.signatures, limit: TFLiteLimits.signaturesMaximum)
    for (index, table) in stored.enumerated() {
      let subgraph = try parsing { () throws(ParsingError) in
        try table.integer(Schema.subgraph, default: UInt32(0))
      }
      guard subgraph == 0 else { continue }
      let key = try parsing { () throws(ParsingError) in try table.string(Schema.key) }
      result.append(
        Signature(
          key: key ?? "", inputs: try entries(table, Schema.inputs, among: inputs, of: index),
          outputs: try entries(table, Schema.outputs, among: outputs, of: index)))
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
        case .binary = node.operation, let operand = node.input(0), let result = node.outputs.first,
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
