import CVector

/// How a kernel wants its activations stored.
protocol ActivationForm {
  associatedtype Source
  associatedtype Element
  /// Sixteen elements of the source. Without a constraint: the descriptor of a protocol of the standard library
  /// would be a weak symbol of every variant.
  associatedtype Vector
  @unsafe static func load(_ source: UnsafePointer<Source>) -> Vector
  /// `count` (1 … 15) elements, and zeros.
  @unsafe static func load(_ source: UnsafePointer<Source>, _ count: Int) -> Vector
  static func repeated(_ value: Source) -> Vector
  @unsafe static func store(_ values: Vector, to place: UnsafeMutablePointer<Element>)
  @unsafe static func copy64(_ source: UnsafePointer<Source>, to place: UnsafeMutablePointer<Element>)
}

extension ActivationForm {
  @inline(__always)
  @unsafe static func copy16(_ source: UnsafePointer<Source>, to place: UnsafeMutablePointer<Element>) {
    unsafe store(load(source), to: place)
  }

  /// Copies `count` (1 … 15) elements; writes 16.
  @inline(__always)
  @unsafe static func copyPart(
    _ source: UnsafePointer<Source>, _ count: Int, to place: UnsafeMutablePointer<Element>
  ) {
    unsafe store(load(source, count), to: place)
  }

  @inline(__always)
  @unsafe static func fill16(_ value: Source, to place: UnsafeMutablePointer<Element>) {
    unsafe store(repeated(value), to: place)
  }
}

extension ActivationForm where Source == Int8, Vector == SIMD16<Int8> {
  @inline(__always)
  @unsafe static func load(_ source: UnsafePointer<Int8>) -> SIMD16<Int8> {
    unsafe cv_load_s8x16(source)
  }

  @inline(__always)
  @unsafe static func load(_ source: UnsafePointer<Int8>, _ count: Int) -> SIMD16<Int8> {
    unsafe cv_load_s8_partial(source, count)
  }

  @inline(__always)
  static func repeated(_ value: Int8) -> SIMD16<Int8> { SIMD16(repeating: value) }
}

/// Codes as the int8 matrix tiles read them.
enum MatrixForm: ActivationForm {
  @inline(__always)
  @unsafe static func store(_ codes: SIMD16<Int8>, to place: UnsafeMutablePointer<cv_activation>) {
    unsafe cv_store_activations(place, codes)
  }

  @inline(__always)
  @unsafe static func copy64(
    _ source: UnsafePointer<Int8>, to place: UnsafeMutablePointer<cv_activation>
  ) {
    unsafe cv_store_activations_x64(place, cv_load_s8x64(source))
  }
}

/// Codes as bytes, 128 too high where four taps of a column are taken at once.
enum DepthwiseForm: ActivationForm {
  @inline(__always)
  @unsafe static func store(_ codes: SIMD16<Int8>, to place: UnsafeMutablePointer<UInt8>) {
    if Tile.depthwiseLines > 1 {
      unsafe cv_store_raised(place, codes)
    } else {
      unsafe cv_store_s8x16(UnsafeMutableRawPointer(place).assumingMemoryBound(to: Int8.self), codes)
    }
  }

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
}

/// Float32 as it is.
enum Float32Form: ActivationForm {
  @inline(__always)
  @unsafe static func load(_ source: UnsafePointer<Float>) -> SIMD16<Float> {
    unsafe cv_load_f32x16(source)
  }

  @inline(__always)
  @unsafe static func load(_ source: UnsafePointer<Float>, _ count: Int) -> SIMD16<Float> {
    unsafe cv_load_f32x16_partial(source, count)
  }

  @inline(__always)
  static func repeated(_ value: Float) -> SIMD16<Float> { SIMD16(repeating: value) }

  @inline(__always)
  @unsafe static func store(_ values: SIMD16<Float>, to place: UnsafeMutablePointer<Float>) {
    unsafe cv_store_f32x16(place, values)
  }

  @inline(__always)
  @unsafe static func copy64(
    _ source: UnsafePointer<Float>, to place: UnsafeMutablePointer<Float>
  ) {
    unsafe copy16(source, to: place)
    unsafe copy16(source + 16, to: place + 16)
    unsafe copy16(source + 32, to: place + 32)
    unsafe copy16(source + 48, to: place + 48)
  }
}
