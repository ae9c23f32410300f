/// Folds the slices of the first axis that have one number into one slice.
///
/// Inputs: the data, the number of each slice, and, unless the numbers rise and are known, how many
/// there are. Slices with a number below zero are dropped.
package struct Segment: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case sum, product, maximum, minimum
  }

  package var kind: Kind

  package init(kind: Kind) { self.kind = kind }
}

/// Which interval between rising bounds each element lies in. Input: the data. Output: int32.
package struct Bucketize: Sendable, Equatable {
  package var bounds: [Float]

  package init(bounds: [Float]) { self.bounds = bounds }
}

/// Selects boxes by their scores, each unless it overlaps one selected before.
///
/// Inputs: boxes `[n, 4]` by two corners, scores `[n]`, the most to select, the overlap at which the
/// lower score gives way, and the score that must be exceeded. With `isScored`, also the width of the
/// decay of scores of overlapping boxes, 0 for none.
/// Outputs: indices `[m]`, zero beyond their number; with `isScored` their scores `[m]`; the number.
package struct SelectBoxes: Sendable, Equatable {
  package var isScored: Bool

  package init(isScored: Bool) { self.isScored = isScored }
}
