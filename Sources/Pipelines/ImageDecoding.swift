import CImages
import Serving

/// Why the bytes of an image are not decoded.
enum ImageError: Error, Equatable {
  /// Neither a JPEG nor a PNG file.
  case unknownFormat
  /// A kind of file that the step does not take.
  case formatNotTaken(ImageStep.Format)
  /// The library's words.
  case malformed(ImageStep.Format, reason: String)
  /// Colours of printing inks, which have no one meaning on a screen.
  case inks
  case tooLarge(width: Int, height: Int, pixelsMaximum: Int)
  case outOfMemory
  case missingLibrary(ImageStep.Format)

  var sentence: String {
    switch self {
    case .unknownFormat: "it is neither a JPEG nor a PNG file"
    case .formatNotTaken(let format): "\(format.title) files are not taken here"
    case .malformed(let format, let reason):
      "the \(format.title) file cannot be decoded: \(reason.isEmpty ? "it is damaged" : reason)"
    case .inks:
      "the JPEG file has the colours cyan, magenta, yellow and black; RGB or grey are needed"
    case .tooLarge(let width, let height, let maximum):
      "the image is \(width) × \(height) pixels; at most \(maximum) pixels are taken"
    case .outOfMemory: "there is no memory to decode it"
    case .missingLibrary(let format): "\(format.library) cannot be loaded"
    }
  }
}

extension ImageStep.Format {
  var title: String {
    switch self {
    case .jpeg: "JPEG"
    case .png: "PNG"
    }
  }

  private var code: cimages_format {
    switch self {
    case .jpeg: cimages_jpeg
    case .png: cimages_png
    }
  }

  /// The file of the library that decodes it.
  var library: String { unsafe String(cString: cimages_library(code)) }

  /// Debian's package with that file.
  var package: String {
    switch self {
    case .jpeg: "libturbojpeg0"
    case .png: "libpng16-16"
    }
  }

  /// Loads that library; false when it cannot be.
  package func load() -> Bool { cimages_load(code) != 0 }

  /// The kind of file that begins so; nil for neither.
  init?(_ bytes: ArraySlice<UInt8>) {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else {
      return nil
    }
  }

  /// Width and height, read without decoding anything.
  func size(of bytes: ArraySlice<UInt8>) throws(ImageError) -> (width: Int, height: Int) {
    var head = cimages_head()
    let (outcome, reason) = unsafe call { reason in
      // Sound: the bytes are lent for the call.
      unsafe bytes.withUnsafeBufferPointer {
        unsafe cimages_read_head(code, $0.baseAddress, $0.count, &head, reason)
      }
    }
    try check(outcome, reason)
    return (Int(head.width), Int(head.height))
  }

  /// Fills `pixels` with width × height × `channels` bytes.
  @unsafe func decode(
    _ bytes: ArraySlice<UInt8>, channels: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws(ImageError) {
    let (outcome, reason) = unsafe call { reason in
      // Sound: the library is told how much room there is.
      unsafe bytes.withUnsafeBufferPointer {
        unsafe cimages_decode(
          code, $0.baseAddress, $0.count, Int32(channels), pixels.baseAddress, pixels.count, reason)
      }
    }
    try check(outcome, reason)
  }

  private func call(
    _ body: (UnsafeMutablePointer<CChar>?) -> cimages_outcome
  ) -> (cimages_outcome, String) {
    var reason = [CChar](repeating: 0, count: Int(CIMAGES_REASON_BYTES))
    let outcome = unsafe reason.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress) }
    let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return (outcome, String(decoding: text, as: UTF8.self))
  }

  private func check(_ outcome: cimages_outcome, _ reason: String) throws(ImageError) {
    switch outcome {
    case cimages_done: return
    case cimages_no_library: throw .missingLibrary(self)
    case cimages_inks: throw .inks
    case cimages_out_of_memory: throw .outOfMemory
    default: throw .malformed(self, reason: reason)
    }
  }
}
