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
    let subgraphs = try TFLiteSubgraphs(file: file, model: model)
    guard !subgraphs.tables.isEmpty else { throw .noSubgraph }
    var expansion = TFLiteExpansion()
    let subgraph = try subgraphs.expanded(entry, &expansion)
    var assembly = TFLiteAssembly(subgraph)
    for operation in subgraph.operations {
      switch operation {
      case .initialize(let index): assembly.initialize(try subgraphs.initialElements(of: index))
      case .control(let control): assembly.add(try subgraphs.node(of: control, &expansion))
      default: try assembly.add(operation)
      }
    }
    var graph = assembly.graph()
    graph.settleElementTypes()
    graph.signatures = try signatures(
      inputs: Set(subgraph.inputs), outputs: Set(subgraph.outputs)
    ) { assembly.resolve($0) }
    graph.description = try description(subgraphs.buffers)
    graph.recognizeListWrites()
    do throws(GraphError) {
      try graph.validate()
      // What a model keeps between inferences has one shape.
      try graph.inferShapes(deferring: graph.variables.isEmpty)
    } catch {
      throw .graph(error)
    }
    graph.settleSignatureShapes()
    return graph
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
}

extension Graph {
  /// Gives the results of arithmetic the element type of its operands; some converters leave theirs
  /// out.
  mutating func settleElementTypes() {
    for node in nodes {
      guard
        case .binary(let parameters) = node.operation, !parameters.isPredicate,
        let operand = node.input(0), let result = node.outputs.first,
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
