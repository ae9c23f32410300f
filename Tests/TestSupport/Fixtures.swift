/// Where the committed models and pictures lie; `Tests/Fixtures/README.md` tells what they are.
package enum Fixtures {
  /// The directory of the package.
  package static let packageDirectory: String = ancestor(of: #filePath, levels: 3)

  /// `Tests/Fixtures`.
  package static let directory = packageDirectory + "/Tests/Fixtures"

  /// The versions of the digits classifier; the second is clearly better than the first.
  package static let digitsVersions = 1...5

  /// The int8 digits classifier of one version.
  package static func digitsModel(_ version: Int = 2) -> String {
    "\(directory)/digits/v\(version)/model.tflite"
  }

  /// The digits classifier in float32.
  package static let floatDigitsModel = directory + "/digits_float/model.tflite"

  /// `y = x / 2 + 2` in float32.
  package static let halfPlusTwoModel = directory + "/half_plus_two/model.tflite"

  /// The names of the ten classes, one per line.
  package static let digitsLabels = directory + "/digits/labels.txt"

  /// The directory of golden vectors that lies beside a model file.
  package static func goldenDirectory(beside model: String) -> String {
    ancestor(of: model, levels: 1) + "/golden"
  }

  /// The golden vectors that lie beside a model file with one input and one output.
  package static func goldenVectors(
    beside model: String
  ) throws -> [(input: NumPyArray, output: NumPyArray)] {
    let directory = goldenDirectory(beside: model)
    var vectors: [(input: NumPyArray, output: NumPyArray)] = []
    while let input = try? NumPyArray(path: "\(directory)/\(vectors.count)_in_0.npy") {
      let output = try NumPyArray(path: "\(directory)/\(vectors.count)_out_0.npy")
      vectors.append((input, output))
    }
    guard !vectors.isEmpty else { throw MissingFixture(path: directory) }
    return vectors
  }

  private static func ancestor(of path: String, levels: Int) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).dropLast(levels)
      .joined(separator: "/")
  }
}
