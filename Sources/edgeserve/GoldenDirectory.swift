import ByteParsing
import Glibc
import ModelBundle
import ModelGraph
import NumPyFiles
import Tensors

/// Reads golden vectors from a directory of arrays: `K_in_I.npy` and `K_out_I.npy` hold input and
/// output `I` of vector `K`, both counted from 0.
struct GoldenDirectory {
  private let path: String

  init(_ path: String) { self.path = path }

  /// The vectors, each checked against the model's inputs and outputs.
  func vectors(_ graph: Graph) throws(CommandFailure) -> [GoldenVectors.Vector] {
    var vectors: [GoldenVectors.Vector] = []
    while exists(vectors.count, "in", 0) || exists(vectors.count, "out", 0) {
      guard vectors.count < BundleLimits.vectors else {
        throw CommandFailure(
          .badInput, "\(path) holds more than \(BundleLimits.vectors) golden vectors")
      }
      let number = vectors.count
      vectors.append(
        GoldenVectors.Vector(
          inputs: try tensors(number, "in", graph.inputSpecifications),
          outputs: try tensors(number, "out", graph.outputSpecifications)))
    }
    guard !vectors.isEmpty else {
      throw CommandFailure(.badInput, "\(path) holds no golden vector: 0_in_0.npy is missing")
    }
    return vectors
  }

  private func file(_ vector: Int, _ side: String, _ place: Int) -> String {
    "\(path)/\(vector)_\(side)_\(place).npy"
  }

  private func exists(_ vector: Int, _ side: String, _ place: Int) -> Bool {
    unsafe access(file(vector, side, place), F_OK) == 0
  }

  private func tensors(_ vector: Int, _ side: String, _ specifications: [TensorSpecification])
    throws(CommandFailure) -> [ByteView]
  {
    guard !exists(vector, side, specifications.count) else {
      throw CommandFailure(
        .badInput,
        "\(file(vector, side, specifications.count)): the model has \(specifications.count) of these")
    }
    var tensors: [ByteView] = []
    for (place, specification) in specifications.enumerated() {
      let name = file(vector, side, place)
      let array: NumPyFile
      do throws(NumPyError) {
        array = try NumPyFile(path: name)
      } catch {
        throw CommandFailure(.badInput, "\(name) is no array that can be used: \(error)")
      }
      let expected = specification.type
      // An extent that follows from what the model computes is left to the proof.
      guard array.dataType == expected.dataType,
        array.elements.count == expected.byteCount ?? array.elements.count
      else {
        throw CommandFailure(
          .badInput,
          "\(name) holds \(array.dataType) \(array.shape.extents); "
            + "the model has \(expected.dataType) \(expected.shape.extents)")
      }
      tensors.append(array.elements)
    }
    return tensors
  }
}
