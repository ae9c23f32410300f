import CVector

/// Codes as the int8 matrix tiles read them.
enum MatrixForm: ActivationForm {
  @inline(__always)
  @unsafe static func copy64(
    _ source: UnsafePointer<Int8>, to place: UnsafeMutablePointer<cv_activation>
  ) {
    unsafe cv_store_activations_x64(place, cv_load_s8x64(source))
  }

  @inline(__always)
  @unsafe static func copy16(
    _ source: UnsafePointer<Int8>, to place: UnsafeMutablePointer<cv_activation>
  ) {
    unsafe cv_store_activations(place, cv_load_s8x16(source))
  }

  @inline(__always)
  @unsafe static func copyPart(
    _ source: UnsafePointer<Int8>, _ count: Int, to place: UnsafeMutablePointer<cv_activation>
  ) {
    unsafe cv_store_activations(place, cv_load_s8_partial(source, count))
  }

  @inline(__always)
  @unsafe static func fill16(_ value: Int8, to place: UnsafeMutablePointer<cv_activation>) {
    unsafe cv_store_activations(place, SIMD16(repeating: value))
  }
}

/// Codes as bytes, 128 too high where four taps of a column are taken at once.
enum DepthwiseForm: ActivationForm {
  @inline(__always)
  @unsafe static func copy64(
    _ source: UnsafePointer<Int8>, to place: UnsafeMutablePointer<UInt8>
  ) {
    let codes = unsafe cv_load_s8x64(source)
    if Tile.depthwiseLines > 1 {
      unsafe cv_store_raised_x64(place, codes)
    } else {
      unsafe cv_store_s8x64(UnsafeMutableRawPointer(place).assumingMemoryBound(to: Int8.self), codes)
    }
  }

  @inline(__always)
  @unsafe static func copy16(
    _ source: UnsafePointer<Int8>, to place: UnsafeMutablePointer<UInt8>
  ) {
    unsafe store(cv_load_s8x16(source), place)
  }

  @inline(__always)
  @unsafe static func copyPart(
    _ source: UnsafePointer<Int8>, _ count: Int, to place: UnsafeMutablePointer<UInt8>
  ) {
    unsafe store(cv_load_s8_partial(source, count), place)
  }

  @inline(__always)
  @unsafe static func fill16(_ value: Int8, to place: UnsafeMutablePointer<UInt8>) {
    unsafe store(SIMD16(repeating: value), place)
  }

  @inline(__always)
  @unsafe private static func store(_ codes: SIMD16<Int8>, _ place: UnsafeMutablePointer<UInt8>) {
    if Tile.depthwiseLines > 1 {
      unsafe cv_store_raised(place, codes)
    } else {
      unsafe cv_store_s8x16(UnsafeMutableRawPointer(place).assumingMemoryBound(to: Int8.self), codes)
    }
  }
}

/// Float32 as it is.
enum Float32Form: ActivationForm {
  @inline(__always)
  @unsafe static func copy64(
    _ source: UnsafePointer<Float>, to place: UnsafeMutablePointer<Float>
  ) {
    unsafe copy16(source, to: place)
    unsafe copy16(source + 16, to: place + 16)
    unsafe copy16(source + 32, to: place + 32)
    unsafe copy16(source + 48, to: place + 48)
  }

  @inline(__always)
  @unsafe static func copy16(
    _ source: UnsafePointer<Float>, to place: UnsafeMutablePointer<Float>
  ) {
    unsafe cv_store_f32x16(place, cv_load_f32x16(source))
  }

  @inline(__always)
  @unsafe static func copyPart(
    _ source: UnsafePointer<Float>, _ count: Int, to place: UnsafeMutablePointer<Float>
  ) {
    unsafe cv_store_f32x16(place, cv_load_f32x16_partial(source, count))
  }

  @inline(__always)
  @unsafe static func fill16(_ value: Float, to place: UnsafeMutablePointer<Float>) {
    unsafe cv_store_f32x16(place, SIMD16(repeating: value))
  }
}
