import OpenInference
import TensorJSON
import Tensors

/// What the agent's metadata tell of a model.
struct ModelInterface {
  struct Input: Equatable {
    var name = ""
    var datatype = ""
    /// −1 where an extent is free.
    var shape: [Int] = []

    var dataType: DataType? { OpenInference.dataType(named: datatype) }
  }

  var inputs: [Input] = []
  var labels: [String] = []

  /// Reads the reply of the metadata endpoint.
  init(json: [UInt8]) throws(JSONError) {
    var reader = JSONReader(json)
    try reader.openObject()
    while let key = try reader.nextKey() {
      switch key {
      case "inputs":
        try reader.openArray()
        while try reader.nextElement() { inputs.append(try Self.readInput(&reader)) }
      case "labels":
        try reader.openArray()
        while try reader.nextElement() { labels.append(try reader.readString()) }
      default: try reader.skipValue()
      }
    }
  }

  private static func readInput(_ reader: inout JSONReader) throws(JSONError) -> Input {
    var input = Input()
    try reader.openObject()
    while let key = try reader.nextKey() {
      switch key {
      case "name": input.name = try reader.readString()
      case "datatype": input.datatype = try reader.readString()
      case "shape": input.shape = try reader.readIntegers()
      default: try reader.skipValue()
      }
    }
    return input
  }
}

extension JSONReader {
  /// The list of integers that comes next.
  mutating func readIntegers() throws(JSONError) -> [Int] {
    var integers: [Int] = []
    try openArray()
    while try nextElement() { integers.append(try readInteger()) }
    return integers
  }
}
