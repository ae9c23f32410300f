import CVector

/// Sorts indices by falling score by merging ever longer runs; equal scores keep their order.
@unsafe func sortDescending(
  _ indices: UnsafeMutablePointer<Int32>, by scores: UnsafePointer<Float>, _ count: Int,
  _ spare: UnsafeMutablePointer<Int32>
) {
  var run = 1
  while run < count {
    var start = 0
    while start < count {
      let middle = min(start &+ run, count)
      let end = min(middle &+ run, count)
      var (left, right, place) = (start, middle, start)
      while place < end {
        let takesLeft = unsafe left < middle
          && (right >= end
            || !(scores[Int(indices[right])] > scores[Int(indices[left])]))
        unsafe spare[place] = indices[takesLeft ? left : right]
        if takesLeft { left &+= 1 } else { right &+= 1 }
        place &+= 1
      }
      start = end
    }
    unsafe cv_copy(indices, spare, 4 &* count)
    run &*= 2
  }
}

/// Writes the places of the `best` highest of `count` scores, the highest first.
///
/// Of equal scores the first is taken where one is wanted. Where several are, they come as a heap of the best
/// seen so far yields them, which is the order of the reference: the heap holds the worst of the best on top, and its
/// hole sinks to the bottom before the new element rises from there.
@unsafe func orderBest(
  _ scores: UnsafePointer<Float>, _ count: Int, _ best: Int,
  _ order: UnsafeMutablePointer<Int32>
) {
  guard best > 1 else {
    var (place, i) = (0, 1)
    while i < count {
      if unsafe scores[i] > scores[place] { place = i }
      i &+= 1
    }
    if best == 1 { unsafe order[0] = Int32(truncatingIfNeeded: place) }
    return
  }
  var i = 0
  while i < best {
    unsafe order[i] = Int32(truncatingIfNeeded: i)
    i &+= 1
  }
  var parent = best / 2 &- 1
  while parent >= 0 {
    unsafe sift(scores, order, best, from: parent, order[parent])
    parent &-= 1
  }
  while i < count {
    if unsafe scores[i] > scores[Int(order[0])] {
      unsafe sift(scores, order, best, from: 0, Int32(truncatingIfNeeded: i))
    }
    i &+= 1
  }
  var last = best &- 1
  while last > 0 {
    let index = unsafe order[last]
    unsafe order[last] = order[0]
    unsafe sift(scores, order, last, from: 0, index)
    last &-= 1
  }
}

/// Puts `index` into the heap in place of element `start`.
@unsafe private func sift(
  _ scores: UnsafePointer<Float>, _ heap: UnsafeMutablePointer<Int32>, _ count: Int,
  from start: Int, _ index: Int32
) {
  var hole = start
  while 2 &* hole &+ 2 < count {
    let (left, right) = (2 &* hole &+ 1, 2 &* hole &+ 2)
    let child = unsafe scores[Int(heap[right])] > scores[Int(heap[left])] ? left : right
    unsafe heap[hole] = heap[child]
    hole = child
  }
  if 2 &* hole &+ 2 == count {
    unsafe heap[hole] = heap[2 &* hole &+ 1]
    hole = 2 &* hole &+ 1
  }
  while hole > start {
    let parent = (hole &- 1) / 2
    guard unsafe scores[Int(heap[parent])] > scores[Int(index)] else { break }
    unsafe heap[hole] = heap[parent]
    hole = parent
  }
  unsafe heap[hole] = index
}
