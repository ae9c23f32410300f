package import Tensors

/// How slices of one number are folded.
package enum SegmentOperation: Sendable, Equatable {
  case sum, product, maximum, minimum
}

/// Slices folded by their numbers; the maker vouches for the pointers.
@safe package struct SegmentArguments {
  package var operation: SegmentOperation
  package var type: DataType
  /// Slices of the input and of the output, and the elements of each.
  package var slices: Int
  package var segments: Int
  package var inner: Int
  package var hasWideNumbers: Bool
  package var numbers: UnsafeRawPointer
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    operation: SegmentOperation, type: DataType, slices: Int, segments: Int, inner: Int,
    hasWideNumbers: Bool, numbers: UnsafeRawPointer, input: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.operation = operation
    self.type = type
    self.slices = slices
    self.segments = segments
    self.inner = inner
    self.hasWideNumbers = hasWideNumbers
    unsafe self.numbers = numbers
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Matrices with a diagonal put in; the maker vouches for the pointers.
@safe package struct DiagonalArguments {
  package var matrices: Int
  package var rows: Int
  package var columns: Int
  package var elementBytes: Int
  /// What lies beside the diagonal; nil for zeros.
  package var input: UnsafeRawPointer?
  package var diagonal: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    matrices: Int, rows: Int, columns: Int, elementBytes: Int, input: UnsafeRawPointer?,
    diagonal: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.matrices = matrices
    self.rows = rows
    self.columns = columns
    self.elementBytes = elementBytes
    unsafe self.input = input
    unsafe self.diagonal = diagonal
    unsafe self.output = output
  }
}

/// The interval between rising bounds that each element lies in; the maker vouches for the pointers.
@safe package struct BucketArguments {
  /// Float32, int32 or int64.
  package var type: DataType
  package var count: Int
  package var boundCount: Int
  package var bounds: UnsafePointer<Float>
  package var input: UnsafeRawPointer
  package var output: UnsafeMutablePointer<Int32>

  package init(
    type: DataType, count: Int, boundCount: Int, bounds: UnsafePointer<Float>,
    input: UnsafeRawPointer, output: UnsafeMutablePointer<Int32>
  ) {
    self.type = type
    self.count = count
    self.boundCount = boundCount
    unsafe self.bounds = bounds
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Boxes to be selected by their scores; the maker vouches for the pointers.
@safe package struct SelectBoxesArguments {
  package var boxes: Int
  /// Boxes to select at most.
  package var limit: Int
  /// Pairs of opposite corners, `(y, x)` each.
  package var corners: UnsafePointer<Float>
  package var scores: UnsafePointer<Float>
  package var overlapThreshold: UnsafePointer<Float>
  package var scoreThreshold: UnsafePointer<Float>
  /// The width of the decay; nil for none.
  package var decay: UnsafePointer<Float>?
  /// `scratchBytes` bytes.
  package var scratch: UnsafeMutableRawPointer
  package var indices: UnsafeMutablePointer<Int32>
  package var selectedScores: UnsafeMutablePointer<Float>?
  package var selectedCount: UnsafeMutablePointer<Int32>

  package init(
    boxes: Int, limit: Int, corners: UnsafePointer<Float>, scores: UnsafePointer<Float>,
    overlapThreshold: UnsafePointer<Float>, scoreThreshold: UnsafePointer<Float>,
    decay: UnsafePointer<Float>?, scratch: UnsafeMutableRawPointer,
    indices: UnsafeMutablePointer<Int32>, selectedScores: UnsafeMutablePointer<Float>?,
    selectedCount: UnsafeMutablePointer<Int32>
  ) {
    self.boxes = boxes
    self.limit = limit
    unsafe self.corners = corners
    unsafe self.scores = scores
    unsafe self.overlapThreshold = overlapThreshold
    unsafe self.scoreThreshold = scoreThreshold
    unsafe self.decay = decay
    unsafe self.scratch = scratch
    unsafe self.indices = indices
    unsafe self.selectedScores = selectedScores
    unsafe self.selectedCount = selectedCount
  }

  /// Scratch bytes for so many boxes: a score of each, and how many of the selected it was compared with.
  package static func scratchBytes(boxes: Int) -> Int { 8 * boxes }
}
