import Glibc
import ModelGraph
import NumPyFiles
import Runtime
import Tensors

/// Which array goes to which input of a model.
struct InputAssignment {
  private let inputs: [TensorSpecification]
  /// The names that inputs may be given by, and each one's place.
  private let places: [(name: String, index: Int)]

  /// Takes the names of the signature `key`, or of every signature and the inputs' own when it is
  /// nil.
  init(_ graph: Graph, signature key: String?) throws(CommandFailure) {
    inputs = graph.inputSpecifications
    let signatures = graph.signatures.filter { key == nil || $0.key == key }
    if let key, signatures.isEmpty {
      let known = graph.signatures.map { "'\($0.key)'" }.joined(separator: ", ")
      throw CommandFailure(
        .badInput,
        "the model has no signature '\(key)'" + (known.isEmpty ? "" : "; it has \(known)"))
    }
    let named = signatures.flatMap(\.inputs).compactMap { entry in
      graph.inputs.firstIndex(of: entry.value).map { (name: entry.name, index: $0) }
    }
    let own = inputs.enumerated().map { (name: $1.name, index: $0) }
    places = named + (key == nil ? own : [])
  }

  /// The arrays that `arguments`, each `FILE.npy` or `NAME=FILE.npy`, give to the inputs, in the
  /// model's order.
  func arrays(for arguments: [String]) throws(CommandFailure) -> [NumPyFile] {
    var paths: [String?] = inputs.map { _ in nil }
    var unnamed: [String] = []
    for argument in arguments {
      guard let (index, path) = try named(argument) else {
        unnamed.append(argument)
        continue
      }
      guard paths[index] == nil else {
        throw CommandFailure(.badInput, "input '\(inputs[index].name)' is given twice")
      }
      paths[index] = path
    }
    guard arguments.count == inputs.count else {
      let names = inputs.map { "'\($0.name)'" }.joined(separator: ", ")
      throw CommandFailure(
        .badInput,
        "the model takes \(inputs.count) inputs (\(names)); \(arguments.count) were given")
    }
    var rest = unnamed[...]
    var arrays: [NumPyFile] = []
    for (index, path) in paths.enumerated() {
      // As many arguments as inputs, none named twice, so the unnamed ones suffice.
      arrays.append(try array(path ?? rest.removeFirst(), for: inputs[index]))
    }
    return arrays
  }

  /// The input and path of an argument with a name; nil when the argument is a path alone.
  private func named(_ argument: String) throws(CommandFailure) -> (Int, String)? {
    for (name, index) in places where !name.isEmpty && argument.hasPrefix(name + "=") {
      return (index, String(argument.dropFirst(name.count + 1)))
    }
    let isPath = unsafe access(argument, F_OK) == 0
    guard !isPath, let sign = argument.firstIndex(of: "=") else { return nil }
    throw CommandFailure(
      .badInput, "the model has no input '\(argument[..<sign])'; it has "
        + places.map { "'\($0.name)'" }.joined(separator: ", "))
  }

  private func array(
    _ path: String, for input: TensorSpecification
  ) throws(CommandFailure) -> NumPyFile {
    let array: NumPyFile
    do throws(NumPyError) {
      array = try NumPyFile(path: path)
    } catch {
      throw CommandFailure(.badInput, "\(path): \(error.sentence)")
    }
    guard array.dataType == input.type.dataType else {
      throw CommandFailure(
        .badInput,
        "\(path) holds \(array.dataType); input '\(input.name)' takes \(input.type.dataType)")
    }
    return array
  }
}
