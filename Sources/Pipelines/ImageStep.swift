/// Brings a picture to the size and the numbers that a model takes.
///
/// A channel of a pixel becomes `(value − mean) / deviation`, of values from 0 to 255.
package struct ImageStep: Sendable, Equatable {
  /// What a request brings.
  package enum Source: String, Sendable, Equatable, CaseIterable {
    /// The bytes of a JPEG or PNG file for each picture.
    case encoded
    /// Pixels, uint8 `[height, width, channels]`, or the same with pictures as the first axis.
    case pixels
  }

  /// Kinds of files.
  package enum Format: String, Sendable, Equatable, CaseIterable {
    case jpeg, png
  }

  /// How a pixel of the result is found; centres of pixels lie half a pixel from their edges.
  package enum Resize: String, Sendable, Equatable, CaseIterable {
    case bilinear, nearest
  }

  /// What becomes of a picture of another proportion.
  package enum Fit: String, Sendable, Equatable, CaseIterable {
    /// It is stretched.
    case stretch
    /// Its middle is taken.
    case crop
  }

  package var source = Source.encoded
  /// Kinds of files that are taken.
  package var formats = Format.allCases
  /// Nil for what the model takes.
  package var width: Int?
  package var height: Int?
  package var resize = Resize.bilinear
  package var fit = Fit.stretch
  /// One for each channel, or one for all.
  package var mean: [Float] = [0]
  package var deviation: [Float] = [1]
  /// Pixels of a picture that is taken.
  package var pixelsMaximum = PipelineLimits.pixelsDefault

  package init() {}

  func validate(step: Int) throws(PipelineError) {
    guard !formats.isEmpty else {
      throw .outOfBounds(step: step, key: "formats", value: 0, expected: "a list of formats")
    }
    for (key, side) in [("width", width), ("height", height)] {
      guard let side else { continue }
      try check(step, key, Double(side), 1...Double(PipelineLimits.sideMaximum))
    }
    try check(
      step, "pixels_maximum", Double(pixelsMaximum), 1...Double(PipelineLimits.pixelsMaximum))
    for (key, numbers) in [("mean", mean), ("std", deviation)] {
      guard [1, 3].contains(numbers.count) else {
        throw .channelCount(step: step, key: key, expected: 3, actual: numbers.count)
      }
      for number in numbers where !number.isFinite || (key == "std" && !(number > 0)) {
        throw .outOfBounds(
          step: step, key: key, value: Double(number),
          expected: key == "std" ? "above zero" : "a finite number")
      }
    }
  }
}
