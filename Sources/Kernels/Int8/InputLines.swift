import CVector
import KernelInterface

/// How a kernel wants its int8 activations stored.
protocol ActivationForm {
  associatedtype Element
  @unsafe static func store(_ place: UnsafeMutablePointer<Element>, _ codes: SIMD16<Int8>)
  @unsafe static func store64(_ place: UnsafeMutablePointer<Element>, _ codes: SIMD64<Int8>)
}

/// As the matrix tiles read them.
enum MatrixForm: ActivationForm {
  @inline(__always)
  @unsafe static func store(_ place: UnsafeMutablePointer<cv_activation>, _ codes: SIMD16<Int8>) {
    unsafe cv_store_activations(place, codes)
  }

  @inline(__always)
  @unsafe static func store64(_ place: UnsafeMutablePointer<cv_activation>, _ codes: SIMD64<Int8>) {
    unsafe cv_store_activations_x64(place, codes)
  }
}

/// Bytes, 128 too high where four taps of a column are taken at once.
enum DepthwiseForm: ActivationForm {
  @inline(__always)
  @unsafe static func store(_ place: UnsafeMutablePointer<UInt8>, _ codes: SIMD16<Int8>) {
    if Tile.depthwiseLines > 1 {
      unsafe cv_store_raised(place, codes)
    } else {
      unsafe cv_store_s8x16(UnsafeMutableRawPointer(place).assumingMemoryBound(to: Int8.self), codes)
    }
  }

  @inline(__always)
  @unsafe static func store64(_ place: UnsafeMutablePointer<UInt8>, _ codes: SIMD64<Int8>) {
    if Tile.depthwiseLines > 1 {
      unsafe cv_store_raised_x64(place, codes)
    } else {
      unsafe cv_store_s8x64(UnsafeMutableRawPointer(place).assumingMemoryBound(to: Int8.self), codes)
    }
  }
}

/// Copies codes, and repeats them, in whole vectors: up to `InputLineScratch.overrun` elements too many.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct CodeCopier<Form: ActivationForm> {
  /// The end of the input, which no load may run over.
  let end: UnsafePointer<Int8>

  @inline(__always)
  @unsafe func copy(
    _ source: UnsafePointer<Int8>, _ count: Int, to destination: UnsafeMutablePointer<Form.Element>
  ) {
    var i = 0
    while i &+ 64 <= count {
      unsafe Form.store64(destination + i, cv_load_s8x64(source + i))
      i &+= 64
    }
    while i &+ 16 <= count {
      unsafe Form.store(destination + i, cv_load_s8x16(source + i))
      i &+= 16
    }
    if i < count, unsafe source + (i &+ 16) <= end {
      unsafe Form.store(destination + i, cv_load_s8x16(source + i))
    } else if i < count {
      unsafe Form.store(destination + i, cv_load_s8_partial(source + i, count &- i))
    }
  }

  @inline(__always)
  @unsafe func fill(
    _ code: Int8, _ count: Int, to destination: UnsafeMutablePointer<Form.Element>
  ) {
    let codes = SIMD16(repeating: code)
    var i = 0
    while i < count {
      unsafe Form.store(destination + i, codes)
      i &+= 16
    }
  }
}

/// Lines of the input with padding at both ends, copied into slots that take turns; see `InputLineScratch`.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct InputLines<Form: ActivationForm> {
  let geometry: WindowGeometry
  private let layout: InputLineScratch
  private let input: UnsafePointer<Int8>
  private let slots: UnsafeMutablePointer<Form.Element>
  private let copier: CodeCopier<Form>
  private let left: Int
  private let middle: Int
  private let right: Int
  /// The image whose lines the slots hold, and the padding that it has.
  private var image = -1
  private var code: Int8 = 0
  /// Lines of the image before this one have been in their slots.
  private var next = 0

  @unsafe init(
    _ geometry: WindowGeometry, _ layout: InputLineScratch, input: UnsafePointer<Int8>,
    scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    self.layout = layout
    unsafe self.input = input
    unsafe slots = (scratch + layout.slotsOffset).assumingMemoryBound(to: Form.Element.self)
    let channels = geometry.inputChannels
    let pixels = geometry.batch &* geometry.inputHeight &* geometry.inputWidth
    unsafe copier = CodeCopier(end: input + pixels &* channels)
    left = min(layout.lineElements, geometry.paddingLeft &* channels)
    middle = min(layout.lineElements &- left, geometry.inputWidth &* channels)
    right = layout.lineElements &- left &- middle
  }

  /// Makes sure that the slots hold what the output lines `first ... last` of an image need.
  @inline(never)
  @unsafe mutating func load(image: Int, first: Int, last: Int, code: Int8) {
    if image != self.image { unsafe begin(image: image, code: code) }
    let top = first &* geometry.strideHeight &- geometry.paddingTop
    let bottom =
      last &* geometry.strideHeight &- geometry.paddingTop
      &+ (geometry.kernelHeight &- 1) &* geometry.dilationHeight
    var y = max(next, max(0, top))
    let end = min(geometry.inputHeight, bottom &+ 1)
    let channels = geometry.inputChannels
    // In bounds: lines of the image, and slots as long as the layout says.
    while y < end {
      let place = unsafe slots + (y % layout.slots) &* layout.slotElements
      let start = (image &* geometry.inputHeight &+ y) &* geometry.inputWidth &* channels
      unsafe copier.copy(input + start, middle, to: place + left)
      unsafe copier.fill(code, right, to: place + (left &+ middle))
      y &+= 1
    }
    next = max(next, end)
  }

  @unsafe private mutating func begin(image: Int, code: Int8) {
    self.image = image
    next = 0
    var slot = 0
    while slot < layout.slots {
      unsafe copier.fill(code, left, to: slots + slot &* layout.slotElements)
      slot &+= 1
    }
    unsafe copier.fill(code, layout.lineElements, to: slots + slot &* layout.slotElements)
  }

  /// The padded line `y` of the image, whose first element is `paddingLeft` pixels left of it.
  @inline(__always)
  @unsafe func line(_ y: Int) -> UnsafePointer<Form.Element> {
    let slot = y < 0 || y >= geometry.inputHeight ? layout.slots : y % layout.slots
    return unsafe UnsafePointer(slots + slot &* layout.slotElements)
  }
}
