import CVector
import KernelInterface

/// Copies elements, and repeats them, in whole vectors: up to `InputLineScratch.overrun` elements too many.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct ActivationCopier<Form: ActivationForm> {
  /// The end of the input, which no load may run over.
  let end: UnsafePointer<Form.Source>

  @inline(__always)
  @unsafe func copy(
    _ source: UnsafePointer<Form.Source>, _ count: Int,
    to destination: UnsafeMutablePointer<Form.Element>
  ) {
    var i = 0
    while i &+ 64 <= count {
      unsafe Form.copy64(source + i, to: destination + i)
      i &+= 64
    }
    while i &+ 16 <= count {
      unsafe Form.copy16(source + i, to: destination + i)
      i &+= 16
    }
    if i < count, unsafe source + (i &+ 16) <= end {
      unsafe Form.copy16(source + i, to: destination + i)
    } else if i < count {
      unsafe Form.copyPart(source + i, count &- i, to: destination + i)
    }
  }

  @inline(__always)
  @unsafe func fill(
    _ value: Form.Source, _ count: Int, to destination: UnsafeMutablePointer<Form.Element>
  ) {
    var i = 0
    while i < count {
      unsafe Form.fill16(value, to: destination + i)
      i &+= 16
    }
  }
}

/// Lines of the input with padding at both ends, copied into slots that take turns; see `InputLineScratch`.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct InputLines<Form: ActivationForm> {
  let geometry: WindowGeometry
  private let layout: InputLineScratch
  private let input: UnsafePointer<Form.Source>
  private let slots: UnsafeMutablePointer<Form.Element>
  private let copier: ActivationCopier<Form>
  private let left: Int
  private let middle: Int
  private let right: Int
  /// The image whose lines the slots hold.
  private var image = -1
  /// Lines of the image before this one have been in their slots.
  private var next = 0

  @unsafe init(
    _ geometry: WindowGeometry, _ layout: InputLineScratch, input: UnsafePointer<Form.Source>,
    scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    self.layout = layout
    unsafe self.input = input
    unsafe slots = (scratch + layout.slotsOffset).assumingMemoryBound(to: Form.Element.self)
    let channels = geometry.inputChannels
    let pixels = geometry.batch &* geometry.inputHeight &* geometry.inputWidth
    unsafe copier = ActivationCopier(end: input + pixels &* channels)
    left = min(layout.lineElements, geometry.paddingLeft &* channels)
    middle = min(layout.lineElements &- left, geometry.inputWidth &* channels)
    right = layout.lineElements &- left &- middle
  }

  /// Makes sure that the slots hold what the output lines `first ... last` of an image need.
  @inline(never)
  @unsafe mutating func load(image: Int, first: Int, last: Int, padding: Form.Source) {
    if image != self.image { unsafe begin(image: image, padding: padding) }
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
      unsafe copier.fill(padding, right, to: place + (left &+ middle))
      y &+= 1
    }
    next = max(next, end)
  }

  @unsafe private mutating func begin(image: Int, padding: Form.Source) {
    self.image = image
    next = 0
    var slot = 0
    while slot < layout.slots {
      unsafe copier.fill(padding, left, to: slots + slot &* layout.slotElements)
      slot &+= 1
    }
    unsafe copier.fill(padding, layout.lineElements, to: slots + slot &* layout.slotElements)
  }

  /// The padded line `y` of the image, whose first element is `paddingLeft` pixels left of it.
  @inline(__always)
  @unsafe func line(_ y: Int) -> UnsafePointer<Form.Element> {
    let slot = y < 0 || y >= geometry.inputHeight ? layout.slots : y % layout.slots
    return unsafe UnsafePointer(slots + slot &* layout.slotElements)
  }
}
