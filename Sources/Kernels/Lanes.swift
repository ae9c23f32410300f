import CVector

// Loads and stores of whole or partial vectors, without bounds checks: the caller has counted the elements.

/// The first `count` (1 … 16) codes, the other lanes zero.
@inline(__always)
@unsafe func loadInt8(_ place: UnsafePointer<Int8>, _ count: Int) -> SIMD16<Int8> {
  count == 16 ? unsafe cv_load_s8x16(place) : unsafe cv_load_s8_partial(place, count)
}

/// Writes the first `count` (1 … 16) codes.
@inline(__always)
@unsafe func storeInt8(_ place: UnsafeMutablePointer<Int8>, _ codes: SIMD16<Int8>, _ count: Int) {
  if count == 16 {
    unsafe cv_store_s8x16(place, codes)
  } else {
    unsafe cv_store_s8_partial(place, codes, count)
  }
}

/// The first `count` (1 … 8) values, the other lanes zero.
@inline(__always)
@unsafe func loadFloat32(_ place: UnsafePointer<Float>, _ count: Int) -> SIMD8<Float> {
  count == 8 ? unsafe cv_load_f32x8(place) : unsafe cv_load_f32_partial(place, count)
}

/// The first `count` (1 … 16) values, the other lanes zero.
@inline(__always)
@unsafe func loadFloat32x16(_ place: UnsafePointer<Float>, _ count: Int) -> SIMD16<Float> {
  count == 16 ? unsafe cv_load_f32x16(place) : unsafe cv_load_f32x16_partial(place, count)
}

/// Writes the first `count` (1 … 8) values.
@inline(__always)
@unsafe func storeFloat32(
  _ place: UnsafeMutablePointer<Float>, _ values: SIMD8<Float>, _ count: Int
) {
  if count == 8 {
    unsafe cv_store_f32x8(place, values)
  } else {
    unsafe cv_store_f32_partial(place, values, count)
  }
}

/// Writes the first `count` (1 … 16) values.
@inline(__always)
@unsafe func storeFloat32(
  _ place: UnsafeMutablePointer<Float>, _ values: SIMD16<Float>, _ count: Int
) {
  if count == 16 {
    unsafe cv_store_f32x16(place, values)
  } else {
    unsafe cv_store_f32x16_partial(place, values, count)
  }
}

/// The sum of the lanes, by halves.
@inline(__always)
func sumFloat32(_ lanes: SIMD16<Float>) -> Float {
  let eight = lanes.lowHalf + lanes.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two[0] + two[1]
}
