import KernelDispatch
import KernelInterface
import TestSupport
import Testing

/// 64-byte aligned memory, freed with its owner and as large as its maker says; filled with a pattern so that a read before a write shows.
@safe final class Memory {
  let bytes: UnsafeMutableRawBufferPointer

  init(_ byteCount: Int) {
    unsafe bytes = .allocate(byteCount: max(byteCount, 1), alignment: 64)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0xA5)
  }

  deinit { unsafe bytes.deallocate() }

  var raw: UnsafeMutableRawPointer { unsafe bytes.baseAddress! }
}

extension SplitMix64 {
  mutating func codes(_ count: Int) -> [Int8] {
    (0..<count).map { _ in Int8.random(in: -128...127, using: &self) }
  }

  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -2...2) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

/// A geometry whose output size follows from explicit padding on all sides.
func window(
  batch: Int = 1, height: Int, width: Int, channels: Int, outputChannels: Int, kernel: (Int, Int),
  stride: (Int, Int) = (1, 1), dilation: (Int, Int) = (1, 1),
  padding: (top: Int, left: Int, bottom: Int, right: Int) = (0, 0, 0, 0)
) -> WindowGeometry {
  func extent(_ input: Int, _ before: Int, _ after: Int, _ kernel: Int, _ stride: Int, _ dilation: Int)
    -> Int
  { (input + before + after - (kernel - 1) * dilation - 1) / stride + 1 }
  return WindowGeometry(
    batch: batch, inputHeight: height, inputWidth: width, inputChannels: channels,
    outputHeight: extent(height, padding.top, padding.bottom, kernel.0, stride.0, dilation.0),
    outputWidth: extent(width, padding.left, padding.right, kernel.1, stride.1, dilation.1),
    outputChannels: outputChannels, kernelHeight: kernel.0, kernelWidth: kernel.1,
    strideHeight: stride.0, strideWidth: stride.1, dilationHeight: dilation.0,
    dilationWidth: dilation.1, paddingTop: padding.top, paddingLeft: padding.left)
}

extension WindowGeometry {
  var inputCount: Int { batch * inputHeight * inputWidth * inputChannels }
  var outputCount: Int { outputRows * outputChannels }

  /// The input pixels that the taps of output pixel `row` cover, in order; nil where padding is.
  func tapPixels(_ row: Int) -> [Int?] {
    let image = row / outputPixels
    let y = row % outputPixels / outputWidth * strideHeight - paddingTop
    let x = row % outputPixels % outputWidth * strideWidth - paddingLeft
    return (0..<taps).map { tap in
      let tapY = y + tap / kernelWidth * dilationHeight
      let tapX = x + tap % kernelWidth * dilationWidth
      guard (0..<inputHeight).contains(tapY), (0..<inputWidth).contains(tapX) else { return nil }
      return (image * inputHeight + tapY) * inputWidth + tapX
    }
  }
}

/// A sum as the reference brings it to a code: times a multiplier of 31 bits, rounded once, half up, or to the
/// multiplier's unit, half up, and then to a whole code, half away from zero.
func requantized(
  _ sum: Int32, _ ratio: Double, roundsTwice: Bool, _ bounds: OutputBoundsInt8
) -> Int8 {
  let fixed = FixedPointScale(ratio)
  let product = Int64(sum) * Int64(fixed.multiplier)
  func shifted(_ value: Int64, _ bits: Int) -> Int64 {
    bits == 0 ? value : (value + 1 << Int64(bits - 1)) >> Int64(bits)
  }
  var code: Int64
  if roundsTwice, fixed.exponent < 0 {
    let units = shifted(product, 31)
    code = shifted(abs(units), -fixed.exponent)
    if units < 0 { code = -code }
  } else {
    code = shifted(product, 31 - fixed.exponent)
  }
  code = min(max(code + Int64(bounds.zeroPoint), Int64(bounds.minimum)), Int64(bounds.maximum))
  return Int8(code)
}

/// `clamp(rint(value · scale) + zeroPoint)` in float32.
func requantized(_ value: Int32, _ scale: Float, _ bounds: OutputBoundsInt8) -> Int8 {
  let real = (Float(value) * scale).rounded(.toNearestOrEven)
  let low = Float(bounds.minimum - bounds.zeroPoint)
  let high = Float(bounds.maximum - bounds.zeroPoint)
  return Int8(Int32(min(max(real, low), high)) + bounds.zeroPoint)
}

/// The window geometries that the convolution tests run: each names the edge it stands for.
struct GeometryCase: Sendable, CustomTestStringConvertible {
  let name: String
  let geometry: WindowGeometry
  var testDescription: String { name }

  static let convolutions: [GeometryCase] = [
    // Depth 1, 3, 7, 8, 15, 16, 17, 33 and outputs around one and two panels, one row to two row blocks.
    .init(name: "1 row, depth 1, 1 channel", geometry: .init(rows: 1, inputDepth: 1, outputDepth: 1)),
    .init(name: "no rows", geometry: .init(rows: 0, inputDepth: 3, outputDepth: 4)),
    .init(name: "2 rows, depth 3", geometry: .init(rows: 2, inputDepth: 3, outputDepth: 3)),
    .init(name: "3 rows, depth 7", geometry: .init(rows: 3, inputDepth: 7, outputDepth: 7)),
    .init(name: "4 rows, depth 8", geometry: .init(rows: 4, inputDepth: 8, outputDepth: 8)),
    .init(name: "5 rows, depth 15", geometry: .init(rows: 5, inputDepth: 15, outputDepth: 15)),
    .init(name: "6 rows, depth 16", geometry: .init(rows: 6, inputDepth: 16, outputDepth: 16)),
    .init(name: "7 rows, depth 17", geometry: .init(rows: 7, inputDepth: 17, outputDepth: 17)),
    .init(name: "25 rows, depth 33", geometry: .init(rows: 25, inputDepth: 33, outputDepth: 33)),
    .init(name: "49 rows, depth 64", geometry: .init(rows: 49, inputDepth: 64, outputDepth: 40)),
    .init(name: "1 row, depth 640", geometry: .init(rows: 1, inputDepth: 640, outputDepth: 128)),
    .init(
      name: "3×3 of 3 channels, stride 2, padded",
      geometry: window(
        height: 9, width: 11, channels: 3, outputChannels: 8, kernel: (3, 3), stride: (2, 2),
        padding: (0, 0, 1, 1))),
    .init(
      name: "3×3 padded, batch 2, 17 to 33 channels",
      geometry: window(
        batch: 2, height: 5, width: 7, channels: 17, outputChannels: 33, kernel: (3, 3),
        padding: (1, 1, 1, 1))),
    .init(
      name: "10×4 kernel, stride 2",
      geometry: window(
        height: 49, width: 10, channels: 1, outputChannels: 64, kernel: (10, 4), stride: (2, 2),
        padding: (4, 1, 5, 1))),
    .init(
      name: "dilated 3×2",
      geometry: window(
        height: 11, width: 9, channels: 5, outputChannels: 6, kernel: (3, 2), dilation: (2, 3),
        padding: (2, 3, 2, 0))),
    .init(
      name: "kernel larger than the input",
      geometry: window(
        height: 2, width: 2, channels: 4, outputChannels: 3, kernel: (5, 5),
        padding: (2, 2, 2, 2))),
    .init(
      name: "pointwise, stride 2",
      geometry: window(
        height: 6, width: 6, channels: 16, outputChannels: 32, kernel: (1, 1), stride: (2, 2))),
  ]
}

extension KernelTable: CustomTestStringConvertible {
  package var testDescription: String { name }
}
