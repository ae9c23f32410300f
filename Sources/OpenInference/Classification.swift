package import Serving
internal import TensorJSON
package import Tensors

/// The best classes of each row of an output, as the extension `classification` writes them.
package struct Classification {
  /// `score:index`, or `score:index:label`; row by row, the highest score first.
  package let entries: [String]
  package let shape: Shape

  /// - Parameter count: At least 1; more than there are classes gives all.
  package init(of tensor: NamedTensor, count: Int, labels: [String]) {
    // The leading extent counts rows, as everywhere in this agent.
    let elements = tensor.shape.elementCount ?? 0
    let rows = tensor.shape.rank > 1 ? tensor.shape[0] : 1
    let classes = rows > 0 ? elements / rows : 0
    let kept = min(count, classes)
    var entries: [String] = []
    entries.reserveCapacity(rows * kept)
    for row in 0..<rows {
      let scores = (0..<classes).map { tensor.number(at: row * classes + $0) }
      // Equal scores keep the order of their classes; NaN comes last.
      let order = scores.indices.sorted { a, b in
        if scores[a].isNaN || scores[b].isNaN { return !scores[a].isNaN || (scores[b].isNaN && a < b) }
        return scores[a] != scores[b] ? scores[a] > scores[b] : a < b
      }
      for index in order.prefix(kept) {
        var entry = "\(Self.text(scores[index], tensor.dataType)):\(index)"
        if labels.count == classes { entry += ":" + labels[index] }
        entries.append(entry)
      }
    }
    self.entries = entries
    shape = tensor.shape.rank > 1 ? Shape([rows, kept]) : Shape([kept])
  }

  /// The entries in the binary form of BYTES: each behind its length in four bytes.
  package var bytes: [UInt8] {
    entries.reduce(into: []) { bytes, entry in
      let count = UInt32(entry.utf8.count)
      for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
      bytes += entry.utf8
    }
  }

  private static func text(_ score: Double, _ type: DataType) -> String {
    // Not so for types that are no numbers, and for the upper half of the unsigned ones.
    if !type.isFloatingPoint, let integer = Int64(exactly: score) { return "\(integer)" }
    return type == .float32 ? "\(Float(score))" : "\(score)"
  }
}

extension JSONWriter {
  mutating func classes(_ classes: Classification, of name: String, isBinary: Bool) {
    raw("{\"name\":")
    string(name)
    raw(",\"datatype\":\"BYTES\",\"shape\":")
    extents(classes.shape)
    if isBinary {
      raw(",\"parameters\":{\"binary_data_size\":")
      integer(classes.bytes.count)
      raw("}}")
      return
    }
    raw(",\"data\":[")
    for (index, entry) in classes.entries.enumerated() {
      if index > 0 { raw(",") }
      string(entry)
    }
    raw("]}")
  }
}
