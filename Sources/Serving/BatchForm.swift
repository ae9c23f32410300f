package import ModelGraph
internal import Tensors

/// Why requests for a version are not run together.
package enum BatchRefusal: Error, Sendable, Equatable {
  /// Nobody asked for it.
  case off
  /// An inference depends on those before it.
  case stateful
  /// The model decides at run time what it runs, so that one request would bear on another.
  case controlFlow
  /// Shapes follow from what the model computes, so that rows may differ in theirs.
  case computedShapes
  /// An input or output is a scalar, or of an element type without a fixed size.
  case tensorForm(name: String)
  /// The model's operators do not take more rows than it was made with.
  case fixedRows
  /// An output does not grow with the rows.
  case outputForm(name: String)
  /// A row's answer is not to the byte what it is alone.
  case rowsDiffer(size: Int)
  /// Several rows take as long together as one after the other.
  case noGain(size: Int)
  /// In bytes.
  case overBudget(needed: Int, available: Int)
  /// The plan for several rows cannot be made or held.
  case unplanned(size: Int)

  /// The word that status and metrics have.
  package var code: String {
    switch self {
    case .off: "off"
    case .stateful: "stateful"
    case .controlFlow: "control-flow"
    case .computedShapes: "computed-shapes"
    case .tensorForm: "tensor-form"
    case .fixedRows: "fixed-rows"
    case .outputForm: "output-form"
    case .rowsDiffer: "rows-differ"
    case .noGain: "no-gain"
    case .overBudget: "over-budget"
    case .unplanned: "unplanned"
    }
  }

  /// Why, for people; without a point at its end.
  package var phrase: String {
    switch self {
    case .off: "it is not asked for"
    case .stateful: "an inference depends on those before it"
    case .controlFlow: "the model has loops or branches"
    case .computedShapes: "shapes follow from what the model computes"
    case .tensorForm(let name): "the tensor \(name) has no rows of a fixed size"
    case .fixedRows: "its operators take no more rows than it was made with"
    case .outputForm(let name): "the output \(name) does not grow with the rows"
    case .rowsDiffer(let size): "answers of \(size) rows are not those of each alone"
    case .noGain(let size): "\(size) rows take as long together as one after the other"
    case .overBudget(let needed, let available):
      "it takes \(needed) bytes, and the budget has \(available) left"
    case .unplanned(let size): "\(size) rows cannot be planned"
    }
  }
}

extension Graph {
  /// The same model for `rows` times the rows that it was made with.
  ///
  /// What a row is answered is for whoever runs it to compare: shapes alone do not tell.
  package func batched(rows: Int) throws(BatchRefusal) -> Graph {
    guard variables.isEmpty else { throw .stateful }
    guard subgraphs.isEmpty else { throw .controlFlow }
    guard !hasDeferredShapes else { throw .computedShapes }
    for specification in inputSpecifications + outputSpecifications {
      let type = specification.type
      guard type.shape.rank > 0, type.shape[0] > 0, type.dataType.hasWholeBytes else {
        throw .tensorForm(name: specification.name)
      }
    }
    let graph: Graph
    do throws(GraphError) {
      graph = try resized(inputs: inputSpecifications.map { $0.type.shape.multiplied(rows) })
    } catch {
      throw .fixedRows
    }
    for (one, many) in zip(outputSpecifications, graph.outputSpecifications)
    where many.type.shape != one.type.shape.multiplied(rows) {
      throw .outputForm(name: one.name)
    }
    return graph
  }
}

extension Shape {
  fileprivate func multiplied(_ rows: Int) -> Shape {
    Shape([self[0] * rows] + extents.dropFirst())
  }
}

extension DataType {
  /// Whether elements take a fixed number of bytes, so that rows can lie one behind the other.
  fileprivate var hasWholeBytes: Bool {
    switch self {
    case .int4, .complex64, .string: false
    default: true
    }
  }
}
