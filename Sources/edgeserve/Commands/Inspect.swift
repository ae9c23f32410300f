import ArgumentParser
import ByteParsing
import KernelDispatch
import KernelInterface
import ModelBundle
import ModelGraph
import Runtime
import Serving
import TFLiteImport
import Tensors

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what a model file needs and whether it can run here.",
    discussion: """
      Nothing is run, and no memory is taken for the model: what is printed is planned.

        edgeserve inspect keyword.tflite
        edgeserve inspect keyword.bundle --json
      """)

  @Argument(help: "A model file or a bundle.")
  var file: String

  @Option(help: "The kernel table to plan for, instead of the best one here.")
  var kernels: String?

  @Option(help: "Threads to plan scratch memory for.")
  var threads = 1

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    guard (1...ComputePool.threadsMaximum).contains(threads) else {
      throw ValidationError("--threads must be 1 to \(ComputePool.threadsMaximum).")
    }
  }

  func run() throws {
    let document = try document()
    if json { try printJSON(document) } else { document.lines.forEach { print($0) } }
  }

  /// What there is to say of the file.
  func document() throws(CommandFailure) -> InspectionDocument {
    try inspect(ModelSource(path: file), table: KernelTable.chosen(kernels))
  }

  private func inspect(
    _ source: ModelSource, table: KernelTable
  ) throws(CommandFailure) -> InspectionDocument {
    var document = InspectionDocument(
      format: source.format, modelBytes: source.model.count, description: "",
      labels: source.bundle?.labels.count, kernels: table.name)
    let graph: Graph
    do throws(TFLiteError) {
      graph = try TFLiteModel.graph(from: source.model)
    } catch .unsupportedOperators(let operators) {
      document.operators = operators.map {
        .init(name: $0.name, count: $0.count, supported: false)
      }
      return document
    } catch {
      _ = try source.graph()
      return document
    }
    document.description = graph.description.text
    document.inputs = graph.inputSpecifications.map { .init($0) }
    document.outputs = graph.outputSpecifications.map { .init($0) }
    document.signatures = (try? TFLiteModel.signatureKeys(in: source.model)) ?? []
    document.calls = graph.signatures.map { signature in
      let (inputs, outputs) = (signature.inputs.map(\.name), signature.outputs.map(\.name))
      return "\(signature.key): \(inputs.joined(separator: ", ")) → \(outputs.joined(separator: ", "))"
    }
    do throws(RuntimeError) {
      let plan = try Plan(graph, table: table, threads: threads)
      document.operators = InspectionDocument.operators(of: graph, missing: [])
      document.supported = true
      document.memory = MemoryDocument(
        plan.memory,
        mappedBytes: plan.mappableBytes >= ServingLimits().keptWeightsBytesMinimum
          ? plan.mappableBytes : 0)
      document.steps = plan.steps.map { .init($0) }
      document.batching = batching(graph, table)
    } catch .unsupported(let missing) {
      document.operators = InspectionDocument.operators(of: graph, missing: missing)
    } catch {
      _ = try source.plan(graph, table: table, threads: threads)
    }
    return document
  }
}

extension Inspect {
  /// Numbers of rows that are planned for.
  private static let rows = [2, 4, 8]

  private func batching(_ graph: Graph, _ table: KernelTable) -> InspectionDocument.Batching {
    var batching = InspectionDocument.Batching()
    do throws(BatchRefusal) {
      for rows in Self.rows {
        let many = try graph.batched(rows: rows)
        do throws(RuntimeError) {
          let memory = try Plan(many, table: table, threads: threads).memory
          batching.sizes.append(.init(rows: rows, arenaBytes: memory.instanceBytes))
        } catch {
          throw BatchRefusal.unplanned(size: rows)
        }
      }
    } catch {
      batching.refusal = error.code
      batching.detail = error.phrase
    }
    return batching
  }
}

extension InspectionDocument.Batching {
  fileprivate var line: String {
    if let detail { return "rows     one at a time: \(detail)" }
    let sizes = sizes.map { "\($0.rows) in \($0.arenaBytes) bytes" }.joined(separator: ", ")
    return "rows     together: \(sizes)"
  }
}

extension InspectionDocument {
  /// For people.
  fileprivate var lines: [String] {
    var lines = ["format   \(format.rawValue), \(modelBytes) bytes"]
    if !description.isEmpty { lines.append("about    \(description)") }
    if let labels { lines.append("labels   \(labels)") }
    lines += inputs.map { "input    " + $0.line }
    lines += outputs.map { "output   " + $0.line }
    lines += calls.map { "request  " + $0 }
    let missing = operators.filter { !$0.supported }
    if supported {
      lines.append("runs     yes, with the \(kernels) kernels")
    } else {
      let names = missing.map { "\($0.name) ×\($0.count)" }.joined(separator: ", ")
      lines.append("runs     no, not supported: \(names)")
    }
    if let memory { lines.append(memory.line) }
    if let batching { lines.append(batching.line) }
    return lines + (steps.isEmpty ? operatorLines : stepLines)
  }

  private var operatorLines: [String] {
    var table = TextTable([("operator", .left), ("count", .right), ("supported", .left)])
    for kind in operators {
      table.append([kind.name, "\(kind.count)", kind.supported ? "yes" : "no"])
    }
    return [""] + table.lines
  }

  private var stepLines: [String] {
    var table = TextTable([
      ("step", .right), ("operator", .left), ("kernel", .left), ("MAC", .right), ("bytes", .right),
    ])
    for (index, step) in steps.enumerated() {
      table.append(["\(index)", step.name, step.kernel, "\(step.macs)", "\(step.bytes)"])
    }
    return [""] + table.lines
  }
}

extension InspectionDocument.Tensor {
  fileprivate var line: String {
    let name = shortened(name)
    let extents = zip(shape, signatureShape).map { $1 < 0 ? "?" : "\($0)" }
    var line = "\(name.isEmpty ? "(no name)" : name)  \(type)[\(extents.joined(separator: " × "))]"
    if let scale, let zeroPoint { line += "  scale \(scale), zero point \(zeroPoint)" }
    return line
  }
}
