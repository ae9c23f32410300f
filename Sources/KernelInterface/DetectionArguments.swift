/// A detector's outputs to be made a list of boxes; the maker vouches for the pointers.
@safe package struct DetectionArguments {
  /// Boxes before any is dropped.
  package var boxes: Int
  /// Numbers from one box's encoding to the next.
  package var encodingStride: Int
  /// Scores from one box to the next.
  package var scoreStride: Int
  package var classes: Int
  /// Detections to keep, of all classes and of one.
  package var detectionsMaximum: Int
  package var detectionsPerClass: Int
  /// Classes that one box is reported with.
  package var classesPerDetection: Int
  /// Whether classes are looked at one by one.
  package var isByClass: Bool
  package var scoreThreshold: Float
  package var overlapThreshold: Float
  /// What encodings of y, x, height and width are divided by.
  package var scales: SIMD4<Float>
  package var encodings: UnsafePointer<Float>
  /// The first class's; the background is left out.
  package var scores: UnsafePointer<Float>
  package var anchors: UnsafePointer<Float>
  /// `scratchBytes` bytes, aligned to 16.
  package var scratch: UnsafeMutableRawPointer
  package var outputBoxes: UnsafeMutablePointer<Float>
  package var outputClasses: UnsafeMutablePointer<Float>
  package var outputScores: UnsafeMutablePointer<Float>
  package var outputCount: UnsafeMutablePointer<Float>

  package init(
    boxes: Int, encodingStride: Int, scoreStride: Int, classes: Int, detectionsMaximum: Int,
    detectionsPerClass: Int, classesPerDetection: Int, isByClass: Bool, scoreThreshold: Float,
    overlapThreshold: Float, scales: SIMD4<Float>, encodings: UnsafePointer<Float>,
    scores: UnsafePointer<Float>, anchors: UnsafePointer<Float>,
    scratch: UnsafeMutableRawPointer, outputBoxes: UnsafeMutablePointer<Float>,
    outputClasses: UnsafeMutablePointer<Float>, outputScores: UnsafeMutablePointer<Float>,
    outputCount: UnsafeMutablePointer<Float>
  ) {
    self.boxes = boxes
    self.encodingStride = encodingStride
    self.scoreStride = scoreStride
    self.classes = classes
    self.detectionsMaximum = detectionsMaximum
    self.detectionsPerClass = detectionsPerClass
    self.classesPerDetection = classesPerDetection
    self.isByClass = isByClass
    self.scoreThreshold = scoreThreshold
    self.overlapThreshold = overlapThreshold
    self.scales = scales
    unsafe self.encodings = encodings
    unsafe self.scores = scores
    unsafe self.anchors = anchors
    unsafe self.scratch = scratch
    unsafe self.outputBoxes = outputBoxes
    unsafe self.outputClasses = outputClasses
    unsafe self.outputScores = outputScores
    unsafe self.outputCount = outputCount
  }

  /// Scratch bytes for so many boxes, classes and detections.
  package static func scratchBytes(boxes: Int, classes: Int, detectionsMaximum: Int) -> Int {
    // Corners; scores, marks and three orders of boxes; candidates with their scores and two orders of them; classes.
    boxes * (16 + 5 * 4) + (boxes + detectionsMaximum) * 4 * 4 + classes * 4 + 16
  }
}
