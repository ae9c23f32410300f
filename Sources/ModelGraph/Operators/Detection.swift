/// Turns the outputs of a single-shot detector into a list of boxes: decodes boxes against their
/// anchors, and keeps those of high score that do not overlap better ones.
///
/// Inputs: encodings of boxes `[1, n, 4 or more]`, scores `[1, n, classes]`, or one more than that
/// with the background first, and anchors `[n, 4]`, all float32; boxes and anchors are
/// `(y, x, height, width)` of the centre.
/// Outputs: boxes `[1, m, 4]` as `(top, left, bottom, right)`, classes `[1, m]`, scores `[1, m]` and
/// the number of detections `[1]`, all float32; what lies beyond that number is zero.
package struct Detection: Sendable, Equatable {
  /// Detections that are kept of all classes.
  package var detectionsMaximum: Int
  /// Classes that one box is reported with, when each box is kept by its best class.
  package var classesPerDetection: Int
  /// Detections that are kept of one class, when classes are looked at one by one.
  package var detectionsPerClass: Int
  /// Whether boxes of different classes do not suppress one another.
  package var isByClass: Bool
  package var scoreThreshold: Float
  /// The overlap, a ratio of areas, above which the lower score gives way.
  package var overlapThreshold: Float
  /// Without the background.
  package var classes: Int
  /// What encodings of y, x, height and width are divided by.
  package var scales: SIMD4<Float>

  package init(
    detectionsMaximum: Int, classesPerDetection: Int, detectionsPerClass: Int, isByClass: Bool,
    scoreThreshold: Float, overlapThreshold: Float, classes: Int, scales: SIMD4<Float>
  ) {
    self.detectionsMaximum = detectionsMaximum
    self.classesPerDetection = classesPerDetection
    self.detectionsPerClass = detectionsPerClass
    self.isByClass = isByClass
    self.scoreThreshold = scoreThreshold
    self.overlapThreshold = overlapThreshold
    self.classes = classes
    self.scales = scales
  }
}
