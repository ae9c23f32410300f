import CVector

/// `Σ a[i] · b[i]` of float32 values.
@inline(__always)
@unsafe func dotFloat32(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
) -> Float {
  var sums = SIMD8<Float>(repeating: 0)
  var i = 0
  while i < count {
    let n = min(8, count &- i)
    sums = unsafe cv_multiply_add(sums, loadFloat32(a + i, n), loadFloat32(b + i, n))
    i &+= 8
  }
  let four = sums.lowHalf + sums.highHalf
  let two = four.lowHalf + four.highHalf
  return two[0] + two[1]
}

/// `Σ a[i] · b[i]` of int8 codes; wraps beyond 32 bits.
@inline(__always)
@unsafe func dotInt8(_ a: UnsafePointer<Int8>, _ b: UnsafePointer<Int8>, _ count: Int) -> Int32 {
  var sum: Int32 = 0
  var i = 0
  while i < count {
    sum = unsafe sum &+ Int32(a[i]) &* Int32(b[i])
    i &+= 1
  }
  return sum
}
