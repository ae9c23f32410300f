import ByteParsing
import NumPyFiles
import OpenInference
import TensorJSON
import Tensors

/// One input of a request, read from the command line.
struct PredictInput {
  var name: String
  var dataType: DataType
  var shape: Shape
  var bytes: [UInt8]

  /// Reads `[NAME=]FILE.npy` or `[NAME=]JSON` for a model with this interface.
  init(_ argument: String, _ interface: ModelInterface) throws {
    let (input, value) = try Self.split(argument, interface)
    name = input.name
    if value.hasSuffix(".npy") {
      let file: NumPyFile
      do throws(NumPyError) {
        file = try NumPyFile(path: value)
      } catch {
        throw CommandFailure(.badInput, "\(value) cannot be used: \(ErrorSentence.of(error))")
      }
      (dataType, shape, bytes) = (file.dataType, file.shape, file.elements.array)
    } else {
      guard let type = input.dataType else {
        throw CommandFailure(.failure, "input \(name) has the unknown datatype \(input.datatype)")
      }
      dataType = type
      do throws(JSONError) {
        (shape, bytes) = try Self.decode(value, type)
      } catch {
        throw CommandFailure(.badInput, "the JSON for input \(name) cannot be used: \(ErrorSentence.of(error))")
      }
    }
    shape = Self.fit(shape, input.shape)
  }

  private static func split(
    _ argument: String, _ interface: ModelInterface
  ) throws -> (ModelInterface.Input, String) {
    if let mark = argument.firstIndex(of: "="),
      let input = interface.inputs.first(where: { $0.name == argument[..<mark] })
    {
      return (input, String(argument[argument.index(after: mark)...]))
    }
    guard interface.inputs.count == 1 else {
      let names = interface.inputs.map(\.name).joined(separator: ", ")
      throw CommandFailure(
        .badInput, "--input \(argument) names no input; the model's are: \(names)")
    }
    return (interface.inputs[0], argument)
  }

  private static func decode(
    _ text: String, _ type: DataType
  ) throws(JSONError) -> (Shape, [UInt8]) {
    var reader = JSONReader(Array(text.utf8))
    var decoder = try TensorDecoder(type, expectedCount: 0, countMaximum: reader.remainingCount)
    try decoder.append(from: &reader)
    try reader.expectEnd()
    let (shape, bytes) = decoder.finish()
    return (shape, bytes)
  }

  /// Gives elements without a leading batch extent, or in one flat list, the model's shape.
  private static func fit(_ shape: Shape, _ declared: [Int]) -> Shape {
    guard shape.rank != declared.count else { return shape }
    let row = Shape(declared.dropFirst().map { max($0, 1) })
    guard !declared.isEmpty, let rowCount = row.elementCount, rowCount > 0,
      let count = shape.elementCount, count % rowCount == 0
    else { return shape }
    return Shape([count / rowCount] + row.extents)
  }
}
