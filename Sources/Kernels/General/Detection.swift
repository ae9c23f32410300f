import CVector
import KernelInterface

/// Boxes of a detector: decoded in double precision, then the best that do not overlap better ones.
///
/// Equal scores keep the order that the reference gives them.
func detect(_ arguments: DetectionArguments) {
  // Sound: the maker of the arguments vouches for the pointers, and for scratch of the stated size.
  let scratch = unsafe DetectionScratch(arguments)
  unsafe decodeBoxes(arguments, scratch.corners)
  let count = arguments.detectionsMaximum &* arguments.classesPerDetection
  var i = 0
  while i < count {
    unsafe arguments.outputBoxes[4 &* i] = 0
    unsafe arguments.outputBoxes[4 &* i &+ 1] = 0
    unsafe arguments.outputBoxes[4 &* i &+ 2] = 0
    unsafe arguments.outputBoxes[4 &* i &+ 3] = 0
    unsafe arguments.outputClasses[i] = 0
    unsafe arguments.outputScores[i] = 0
    i &+= 1
  }
  if arguments.isByClass {
    unsafe detectByClass(arguments, scratch)
  } else {
    unsafe detectByBestClass(arguments, scratch)
  }
}

/// Parts of the scratch.
@unsafe private struct DetectionScratch {
  let corners: UnsafeMutablePointer<Float>
  /// Of all boxes, for one class or the best one.
  let scores: UnsafeMutablePointer<Float>
  /// Boxes above the threshold, in order of their scores once sorted.
  let kept: UnsafeMutablePointer<Int32>
  let merged: UnsafeMutablePointer<Int32>
  let selected: UnsafeMutablePointer<Int32>
  let isActive: UnsafeMutablePointer<Int32>
  /// Box and class of what is kept of several classes.
  let candidates: UnsafeMutablePointer<Int32>
  let candidateScores: UnsafeMutablePointer<Float>
  let order: UnsafeMutablePointer<Int32>
  let spare: UnsafeMutablePointer<Int32>
  let classOrder: UnsafeMutablePointer<Int32>

  init(_ arguments: DetectionArguments) {
    let boxes = arguments.boxes
    let more = boxes &+ arguments.detectionsMaximum
    unsafe corners = arguments.scratch.assumingMemoryBound(to: Float.self)
    unsafe scores = corners + 4 &* boxes
    unsafe kept = UnsafeMutableRawPointer(scores + boxes).assumingMemoryBound(to: Int32.self)
    unsafe merged = kept + boxes
    unsafe selected = merged + boxes
    unsafe isActive = selected + boxes
    unsafe candidates = isActive + boxes
    unsafe candidateScores = UnsafeMutableRawPointer(candidates + more)
      .assumingMemoryBound(to: Float.self)
    unsafe order = UnsafeMutableRawPointer(candidateScores + more)
      .assumingMemoryBound(to: Int32.self)
    unsafe spare = order + more
    unsafe classOrder = spare + more
  }
}

@unsafe private func decodeBoxes(
  _ arguments: DetectionArguments, _ corners: UnsafeMutablePointer<Float>
) {
  let scales = SIMD4<Double>(arguments.scales)
  var box = 0
  while box < arguments.boxes {
    let encoding = unsafe arguments.encodings + box &* arguments.encodingStride
    let anchor = unsafe arguments.anchors + 4 &* box
    let y = unsafe Float(
      Double(encoding[0]) / scales[0] * Double(anchor[2]) + Double(anchor[0]))
    let x = unsafe Float(
      Double(encoding[1]) / scales[1] * Double(anchor[3]) + Double(anchor[1]))
    let height = unsafe Float(
      0.5 * cv_exponential_double(Double(encoding[2]) / scales[2]) * Double(anchor[2]))
    let width = unsafe Float(
      0.5 * cv_exponential_double(Double(encoding[3]) / scales[3]) * Double(anchor[3]))
    unsafe corners[4 &* box] = y - height
    unsafe corners[4 &* box &+ 1] = x - width
    unsafe corners[4 &* box &+ 2] = y + height
    unsafe corners[4 &* box &+ 3] = x + width
    box &+= 1
  }
}

/// Each box by its best class; boxes of any class suppress one another.
@unsafe private func detectByBestClass(
  _ arguments: DetectionArguments, _ scratch: DetectionScratch
) {
  var box = 0
  while box < arguments.boxes {
    let scores = unsafe arguments.scores + box &* arguments.scoreStride
    var (best, k) = (unsafe scores[0], 1)
    while k < arguments.classes {
      if unsafe scores[k] > best { best = unsafe scores[k] }
      k &+= 1
    }
    unsafe scratch.scores[box] = best
    box &+= 1
  }
  let found = unsafe suppress(arguments, scratch, limit: arguments.detectionsMaximum)
  let classes = min(arguments.classesPerDetection, arguments.classes)
  var i = 0
  while i < found {
    let box = unsafe Int(scratch.selected[i])
    let scores = unsafe arguments.scores + box &* arguments.scoreStride
    unsafe orderBest(scores, arguments.classes, classes, scratch.classOrder)
    var k = 0
    while k < classes {
      let place = unsafe Int(scratch.classOrder[k])
      unsafe report(
        arguments, scratch, at: i &* arguments.classesPerDetection &+ k, box: box, class: place,
        score: scores[place])
      k &+= 1
    }
    i &+= 1
  }
  unsafe arguments.outputCount[0] = Float(found)
}

/// Each class on its own; the best of all classes are kept.
@unsafe private func detectByClass(_ arguments: DetectionArguments, _ scratch: DetectionScratch) {
  let classes = arguments.classes
  var count = 0
  var k = 0
  while k < classes {
    var box = 0
    while box < arguments.boxes {
      unsafe scratch.scores[box] = arguments.scores[box &* arguments.scoreStride &+ k]
      box &+= 1
    }
    let found = unsafe suppress(
      arguments, scratch, limit: min(arguments.detectionsPerClass, arguments.boxes))
    var i = 0
    while i < found {
      let box = unsafe scratch.selected[i]
      unsafe scratch.candidates[count &+ i] = box &* Int32(truncatingIfNeeded: classes)
        &+ Int32(truncatingIfNeeded: k)
      unsafe scratch.candidateScores[count &+ i] = scratch.scores[Int(box)]
      i &+= 1
    }
    let best = min(count &+ found, arguments.detectionsMaximum)
    unsafe orderBest(scratch.candidateScores, count &+ found, best, scratch.order)
    unsafe take(best, scratch.candidates, scratch.order, scratch.spare)
    unsafe take(
      best, UnsafeMutableRawPointer(scratch.candidateScores).assumingMemoryBound(to: Int32.self),
      scratch.order, scratch.spare)
    count = best
    k &+= 1
  }
  var i = 0
  while i < count {
    let candidate = unsafe Int(scratch.candidates[i])
    unsafe report(
      arguments, scratch, at: i, box: candidate / classes, class: candidate % classes,
      score: scratch.candidateScores[i])
    i &+= 1
  }
  unsafe arguments.outputCount[0] = Float(count)
}

/// Brings the first `count` elements into the order named.
@unsafe private func take(
  _ count: Int, _ elements: UnsafeMutablePointer<Int32>, _ order: UnsafeMutablePointer<Int32>,
  _ spare: UnsafeMutablePointer<Int32>
) {
  var i = 0
  while i < count {
    unsafe spare[i] = elements[Int(order[i])]
    i &+= 1
  }
  unsafe cv_copy(elements, spare, 4 &* count)
}

@unsafe private func report(
  _ arguments: DetectionArguments, _ scratch: DetectionScratch, at place: Int, box: Int,
  class number: Int, score: Float
) {
  unsafe cv_copy(arguments.outputBoxes + 4 &* place, scratch.corners + 4 &* box, 16)
  unsafe arguments.outputClasses[place] = Float(number)
  unsafe arguments.outputScores[place] = score
}

/// Selects boxes by their scores, each unless it overlaps one selected before; gives how many.
@unsafe private func suppress(
  _ arguments: DetectionArguments, _ scratch: DetectionScratch, limit: Int
) -> Int {
  var kept = 0
  var box = 0
  while box < arguments.boxes {
    if unsafe scratch.scores[box] >= arguments.scoreThreshold {
      unsafe scratch.kept[kept] = Int32(truncatingIfNeeded: box)
      unsafe scratch.isActive[kept] = 1
      kept &+= 1
    }
    box &+= 1
  }
  unsafe sortDescending(scratch.kept, by: scratch.scores, kept, scratch.merged)
  var count = 0
  var i = 0
  while i < kept, count < limit {
    if unsafe scratch.isActive[i] == 0 {
      i &+= 1
      continue
    }
    let best = unsafe scratch.corners + 4 &* Int(scratch.kept[i])
    unsafe scratch.selected[count] = scratch.kept[i]
    count &+= 1
    var j = i &+ 1
    while j < kept {
      if unsafe scratch.isActive[j] != 0,
        unsafe overlap(best, scratch.corners + 4 &* Int(scratch.kept[j]))
          > arguments.overlapThreshold
      {
        unsafe scratch.isActive[j] = 0
      }
      j &+= 1
    }
    i &+= 1
  }
  return count
}

/// The area that two boxes share over the area that they cover; 0 for a box without area.
@inline(__always)
@unsafe private func overlap(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Float {
  let areaA = unsafe (a[2] - a[0]) * (a[3] - a[1])
  let areaB = unsafe (b[2] - b[0]) * (b[3] - b[1])
  guard areaA > 0, areaB > 0 else { return 0 }
  let height = unsafe min(a[2], b[2]) - max(a[0], b[0])
  let width = unsafe min(a[3], b[3]) - max(a[1], b[1])
  let shared = max(height, 0) * max(width, 0)
  return shared / (areaA + areaB - shared)
}
