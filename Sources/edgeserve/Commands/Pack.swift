import Agent
import ArgumentParser
import ByteParsing
import KernelDispatch
import KernelInterface
import ModelBundle
import ModelGraph
import Publishing
import Runtime
import TFLiteImport

struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Packs a model file, labels and golden vectors into a bundle.",
    discussion: """
      The model is read as a device would read it and refused when this build cannot run it. Golden \
      vectors are pairs of NumPy files, K_in_I.npy and K_out_I.npy for input or output I of vector K; \
      a device that answers otherwise refuses the version. Equal input gives equal bytes.

      Example:
        edgeserve pack --model digits.tflite --name digits --labels labels.txt \\
          --golden-dir golden --output digits.bundle
      """)

  @Option(help: "The model file, .tflite.")
  var model: String

  @Option(help: "The model's name: 1 to 64 of A-Z a-z 0-9 _ -.")
  var name: String

  @Option(help: "A text file with the name of one class a line.")
  var labels: String?

  @Option(help: "The directory of golden vectors.")
  var goldenDir: String?

  @Option(help: "Steps by which an integer output may differ from its golden value.")
  var integerTolerance: Int64 = 1

  @Option(help: "Fraction by which a float output may differ from its golden value.")
  var relativeTolerance: Double = 1e-4

  @Option(help: "The bundle to write; an existing one is replaced.")
  var output: String

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func validate() throws {
    guard (0...255).contains(integerTolerance) else {
      throw ValidationError("--integer-tolerance is from 0 to 255")
    }
    guard (0...1).contains(relativeTolerance) else {
      throw ValidationError("--relative-tolerance is from 0 to 1")
    }
  }

  func run() throws {
    let file = try readModel()
    let graph = try importGraph(file)
    let memory = try plan(graph).memory
    let golden = try goldenDir.map { (directory) throws(CommandFailure) in
      GoldenVectors(
        tolerance: .init(
          integerSteps: integerTolerance,
          relativePartsPerBillion: Int64((relativeTolerance * 1e9).rounded())),
        vectors: try GoldenDirectory(directory).vectors(graph))
    }
    let contents = BundleContents(
      modelName: name, model: file.array, labels: try readLabels(), golden: golden,
      peakBytes: Int64(memory.peakBytes))
    let bytes = try encode(contents)
    do throws(PublishingError) {
      try replaceFile(output, bytes)
    } catch {
      throw CommandFailure(error)
    }
    StandardError.line(
      "packed \(name) into \(output): \(ByteSize.describe(bytes.count)), "
        + "model \(ByteSize.describe(file.count)), \(contents.labels.count) labels, "
        + "\(golden?.vectors.count ?? 0) golden vectors, "
        + "\(ByteSize.describe(memory.peakBytes)) of memory to run")
    if json {
      try printJSON(
        PackDocument(
          bundle: output, model: name, bytes: bytes.count, modelBytes: file.count,
          labels: contents.labels.count, vectors: golden?.vectors.count ?? 0,
          memory: MemoryDocument(memory)))
    }
  }

  private func readModel() throws(CommandFailure) -> ByteView {
    do throws(ParsingError) {
      return try MappedFile(path: model).bytes
    } catch {
      guard case .unreadableFile(let errno) = error else {
        throw CommandFailure(.badInput, "\(model): \(error)")
      }
      throw CommandFailure(.badInput, "\(model): \(systemMessage(errno))")
    }
  }

  private func importGraph(_ file: ByteView) throws(CommandFailure) -> Graph {
    do throws(TFLiteError) {
      return try TFLiteModel.graph(from: file)
    } catch {
      if case .unsupportedOperators(let operators) = error {
        let list = operators.map { "\($0.name) version \($0.version) (\($0.count) times)" }
        throw CommandFailure(
          .badInput, "\(model) uses operators that are not supported: \(list.joined(separator: ", "))")
      }
      throw CommandFailure(.badInput, "\(model) is no model that can be packed: \(error)")
    }
  }

  private func plan(_ graph: Graph) throws(CommandFailure) -> Plan {
    do throws(RuntimeError) {
      return try Plan(graph, table: KernelTable.best)
    } catch {
      throw CommandFailure(.badInput, "\(model) cannot be run by this build: \(error)")
    }
  }

  private func readLabels() throws(CommandFailure) -> [String] {
    guard let labels else { return [] }
    let bytes: [UInt8]
    do throws(PublishingError) {
      bytes = try readFile(labels, limit: BundleLimits.labelsBytes)
    } catch {
      throw CommandFailure(error)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure(.badInput, "\(labels) is not UTF-8")
    }
    var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private func encode(_ contents: BundleContents) throws(CommandFailure) -> [UInt8] {
    do throws(BundleError) {
      return try contents.encode()
    } catch {
      switch error {
      case .modelName:
        throw CommandFailure(.badInput, "'\(name)' is no name: use 1 to 64 of A-Z a-z 0-9 _ -")
      case .labels:
        throw CommandFailure(.badInput, "there are more or longer labels than a bundle may hold")
      default: throw CommandFailure(.failure, "the bundle cannot be made: \(error)")
      }
    }
  }
}

/// What `pack` made, as JSON.
private struct PackDocument: Encodable {
  var bundle: String
  var model: String
  var bytes: Int
  var modelBytes: Int
  var labels: Int
  var vectors: Int
  var memory: MemoryDocument

  enum CodingKeys: String, CodingKey {
    case bundle, model, bytes, labels, memory
    case modelBytes = "model_bytes"
    case vectors = "golden_vectors"
  }
}
