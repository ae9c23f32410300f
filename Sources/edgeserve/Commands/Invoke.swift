import ArgumentParser
import KernelDispatch
import KernelInterface
import ModelGraph
import NumPyFiles
import Runtime
import Tensors

struct Invoke: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a model file on NumPy arrays.",
    discussion: """
      Without names, arrays go to the model's inputs in its own order. An array of another shape \
      than the model declares resizes the input. Output number i is written to DIR/i.npy, and \
      with --steps, the outputs of later steps to DIR/step2_i.npy and so on.

        edgeserve invoke keyword.tflite --input features.npy --output-dir out
        edgeserve invoke add.tflite --input x=1.npy --input y=2.npy --output-dir out
      """)

  @Argument(help: "A model file or a bundle.")
  var file: String

  @Option(help: "The signature whose names the inputs carry.")
  var signature: String?

  @Option(
    help: ArgumentHelp("An array for an input, once for each input.", valueName: "[NAME=]FILE.npy"))
  var input: [String] = []

  @Option(help: "Where the outputs go; made when it is not there.")
  var outputDir: String

  @Option(help: "How often to run on the same inputs, keeping the model's state.")
  var steps = 1

  @Option(help: "Threads that compute.")
  var threads = 1

  @Option(help: "The kernel table to use, instead of the best one here.")
  var kernels: String?

  func validate() throws {
    guard (1...ComputePool.threadsMaximum).contains(threads) else {
      throw ValidationError("--threads must be 1 to \(ComputePool.threadsMaximum).")
    }
    guard steps >= 1 else { throw ValidationError("--steps must be at least 1.") }
  }

  func run() throws {
    let table = try KernelTable.chosen(kernels)
    let source = try ModelSource(path: file)
    var graph = try source.graph(signature: signature)
    let assignment = try InputAssignment(graph, signature: signature)
    let arrays = try assignment.arrays(for: input)
    let shapes = arrays.map(\.shape)
    if shapes != graph.inputSpecifications.map(\.type.shape) { graph = try resized(graph, shapes) }
    let plan = try source.plan(graph, table: table, threads: threads)
    let instance: Instance
    do throws(RuntimeError) {
      let pool = threads > 1 ? ComputePool(threads: threads) : nil
      instance = try Instance(PreparedModel(plan), pool: pool)
    } catch {
      throw CommandFailure(.failure, "\(file) cannot be prepared: \(error)")
    }
    let directory = try OutputDirectory(outputDir)
    for step in 1...steps {
      instance.load(arrays)
      instance.run()
      if let failure = instance.failure {
        throw CommandFailure(.failure, "\(file) has no result for these inputs: \(failure.phrase)")
      }
      guard instance.isComplete else {
        throw CommandFailure(
          .failure,
          "a loop in \(file) went on for \(GraphLimits.loopIterationsMaximum) iterations; it was ended")
      }
      for (index, array) in try instance.arrays().enumerated() {
        try directory.write(array, name: step == 1 ? "\(index)" : "step\(step)_\(index)")
      }
    }
  }

  private func resized(_ graph: Graph, _ shapes: [Shape]) throws(CommandFailure) -> Graph {
    do throws(GraphError) {
      return try graph.resized(inputs: shapes)
    } catch {
      let given = shapes.map { "\($0.extents)" }.joined(separator: ", ")
      throw CommandFailure(
        .badInput,
        "\(file) does not take inputs of shape \(given): \(ModelErrorSentence.of(error))")
    }
  }
}
