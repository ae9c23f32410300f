/// Handwritten digits that no version of the classifier was trained on.
package struct DigitsTestSplit: Sendable {
  /// Each picture as the int8 input of the classifier, 64 bytes, row-major.
  package var images: [[UInt8]]
  /// The digit that each picture shows.
  package var labels: [Int]

  /// Reads the committed split.
  package init() throws {
    let pictures = try NumPyArray(path: Fixtures.directory + "/digits/test_images.npy")
    let classes = try NumPyArray(path: Fixtures.directory + "/digits/test_labels.npy")
    images = stride(from: 0, to: pictures.bytes.count, by: 64).map {
      Array(pictures.bytes[$0..<($0 + 64)])
    }
    labels = classes.bytes.map(Int.init)
  }

  /// The share of answers, each an int8 row of class scores, whose greatest score is at the label.
  package func accuracy(of answers: [[Int8]]) -> Double {
    let right = zip(answers, labels).count { answer, label in
      answer.indices.max { answer[$0] < answer[$1] } == label
    }
    return Double(right) / Double(labels.count)
  }
}
