import OpenInference
import TensorJSON
import Tensors

/// A reply in words and numbers for a person.
struct PredictReport {
  /// Classes that are listed for each row.
  private static let classesShown = 5
  /// Elements that are listed of an output without classes.
  private static let elementsShown = 32

  private struct Output {
    var name = ""
    var datatype = ""
    var shape: [Int] = []
    var elements: [Double] = []
  }

  private(set) var text = ""

  /// - Parameter labels: The names of the classes; empty when the model has none.
  init(_ reply: [UInt8], labels: [String]) throws {
    do throws(JSONError) {
      try read(reply, labels)
    } catch {
      throw CommandFailure(.failure, "the agent's answer is not as expected: \(ErrorSentence.of(error))")
    }
  }

  private mutating func read(_ reply: [UInt8], _ labels: [String]) throws(JSONError) {
    var reader = JSONReader(reply)
    try reader.openObject()
    while let key = try reader.nextKey() {
      switch key {
      case "model_name": text += try reader.readString()
      case "model_version": text += " version \(try reader.readString())\n"
      case "outputs":
        try reader.openArray()
        while try reader.nextElement() { describe(try Self.readOutput(&reader), labels) }
      default: try reader.skipValue()
      }
    }
  }

  private static func readOutput(_ reader: inout JSONReader) throws(JSONError) -> Output {
    var output = Output()
    try reader.openObject()
    while let key = try reader.nextKey() {
      switch key {
      case "name": output.name = try reader.readString()
      case "datatype": output.datatype = try reader.readString()
      case "shape": output.shape = try reader.readIntegers()
      case "data": output.elements = try readElements(&reader)
      default: try reader.skipValue()
      }
    }
    return output
  }

  private static func readElements(_ reader: inout JSONReader) throws(JSONError) -> [Double] {
    var elements: [Double] = []
    try reader.openArray()
    while try reader.nextElement() { elements.append(try reader.readNumber()) }
    return elements
  }

  private mutating func describe(_ output: Output, _ labels: [String]) {
    let shape = output.shape.map { "\($0)" }.joined(separator: ", ")
    text += "\(output.name): \(output.datatype) [\(shape)]\n"
    guard let classes = output.shape.last, classes > 1, classes == labels.count else {
      text += "  " + output.elements.prefix(Self.elementsShown).map(Self.number)
        .joined(separator: " ")
      let rest = output.elements.count - Self.elementsShown
      text += rest > 0 ? " … and \(rest) more\n" : "\n"
      return
    }
    for start in stride(from: 0, to: output.elements.count, by: classes) {
      let row = output.elements[start..<min(start + classes, output.elements.count)]
      let best = row.enumerated().sorted { $0.element > $1.element }.prefix(Self.classesShown)
      for (index, score) in best { text += "  \(labels[index])  \(Self.number(score))\n" }
      if start + classes < output.elements.count { text += "\n" }
    }
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(Float(value))"
  }
}
