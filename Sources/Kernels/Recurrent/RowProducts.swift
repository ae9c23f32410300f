import CVector

/// `Σ a[i] · b[i]` of float32 values.
@inline(__always)
@unsafe func dotFloat32(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
) -> Float {
  var sums = SIMD16<Float>()
  var i = 0
  while i < count {
    let n = min(16, count &- i)
    sums = unsafe cv_multiply_add_x16(sums, loadFloat32x16(a + i, n), loadFloat32x16(b + i, n))
    i &+= 16
  }
  return sumFloat32(sums)
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
