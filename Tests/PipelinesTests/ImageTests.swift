import Pipelines
import Serving
import Tensors
import TestSupport
import Testing

/// Whether the libraries that decode images are there.
private let hasLibraries: Bool = {
  let missing = ImageStep.Format.allCases.filter { !$0.load() }
  if !missing.isEmpty { print("SKIPPED: images of pipelines; \(missing) cannot be decoded here.") }
  return missing.isEmpty
}()

@Suite("Images of pipelines", .enabled(if: hasLibraries))
struct ImageTests {
  private static func file(_ name: String) throws -> [UInt8] {
    try readFile(Fixtures.directory + "/images/" + name)
  }

  private func encoded(_ files: [[UInt8]]) -> NamedTensor {
    var bytes: [UInt8] = []
    for file in files { StringElements.append(file, to: &bytes) }
    return NamedTensor(
      name: "image", dataType: .string, shape: Shape([files.count]), bytes: bytes)
  }

  /// A pipeline that answers with what its image step makes: the model copies its input.
  private func fixture(
    _ extents: [Int32], _ adjust: (inout ImageStep) -> Void = { _ in }
  ) throws -> PipelineFixture {
    let fixture = PipelineFixture()
    let directory = TemporaryDirectory("edgeserve-pictures")
    defer { withExtendedLifetime(directory) {} }
    let path = directory.path + "/copy.tflite"
    try CopyModel.write(extents, to: path)
    try fixture.load("copy", 1, path)
    var step = ImageStep()
    adjust(&step)
    fixture.pipelines.change([
      "p": PipelineDeclaration(steps: [.image(step), .model("copy")])
    ])
    return fixture
  }

  /// What the definition of the half-pixel centres gives, one element at a time.
  private func reference(
    _ pixels: [UInt8], _ width: Int, _ height: Int, _ channels: Int, to outWidth: Int,
    _ outHeight: Int, isBilinear: Bool
  ) -> [Float] {
    func pixel(_ x: Int, _ y: Int, _ c: Int) -> Double {
      let (x, y) = (min(max(x, 0), width - 1), min(max(y, 0), height - 1))
      return Double(pixels[(y * width + x) * channels + c])
    }
    var result: [Float] = []
    for oy in 0..<outHeight {
      for ox in 0..<outWidth {
        let y = (Double(oy) + 0.5) * Double(height) / Double(outHeight) - (isBilinear ? 0.5 : 0)
        let x = (Double(ox) + 0.5) * Double(width) / Double(outWidth) - (isBilinear ? 0.5 : 0)
        let (y0, x0) = (Int(y.rounded(.down)), Int(x.rounded(.down)))
        let (dy, dx) = isBilinear ? (y - Double(y0), x - Double(x0)) : (0, 0)
        for c in 0..<channels {
          let top = pixel(x0, y0, c) * (1 - dx) + pixel(x0 + 1, y0, c) * dx
          let bottom = pixel(x0, y0 + 1, c) * (1 - dx) + pixel(x0 + 1, y0 + 1, c) * dx
          result.append(Float(top * (1 - dy) + bottom * dy))
        }
      }
    }
    return result
  }

  private func difference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
  }

  @Test("decode every usual kind of file to the pixels that were put in")
  func decode() throws {
    let pixels = try NumPyArray(path: Fixtures.directory + "/images/rgb.npy").bytes
    let fixture = try fixture([1, 16, 24, 3])
    defer { fixture.close() }
    let wanted = pixels.map(Float.init)
    // JPEG loses a little, a palette of 16 colours more.
    for (name, tolerance) in [
      ("rgb.png", Float(0)), ("alpha.png", 0), ("palette.png", 48), ("rgb.jpg", 8),
      ("progressive.jpg", 8),
    ] {
      let answer = try fixture.infer("p", [encoded([try Self.file(name)])])
      #expect(answer.outputs[0].shape == Shape([1, 16, 24, 3]))
      #expect(difference(answer.outputs[0].floats, wanted) <= tolerance, "\(name)")
    }
    // Grey is the same in every channel.
    let grey = try NumPyArray(path: Fixtures.directory + "/images/grey.npy").bytes
    for (name, tolerance) in [("grey.png", Float(0)), ("grey.jpg", 6)] {
      let answer = try fixture.infer("p", [encoded([try Self.file(name)])])
      let wanted = grey.flatMap { [Float]([Float($0), Float($0), Float($0)]) }
      #expect(difference(answer.outputs[0].floats, wanted) <= tolerance, "\(name)")
    }
  }

  @Test("resize with half-pixel centres, down and up", arguments: [true, false])
  func resize(isBilinear: Bool) throws {
    let pixels = try NumPyArray(path: Fixtures.directory + "/images/rgb.npy").bytes
    let file = try Self.file("rgb.png")
    for (width, height) in [(7, 5), (24, 16), (61, 33), (1, 1)] {
      let fixture = try fixture([1, Int32(height), Int32(width), 3]) {
        $0.resize = isBilinear ? .bilinear : .nearest
      }
      defer { fixture.close() }
      let answer = try fixture.infer("p", [encoded([file])]).outputs[0].floats
      let wanted = reference(
        pixels, 24, 16, 3, to: width, height, isBilinear: isBilinear)
      #expect(difference(answer, wanted) < 1e-3, "\(width) × \(height)")
    }
  }

  @Test("normalise channel by channel, and take the middle of a wide picture")
  func normalise() throws {
    let pixels = try NumPyArray(path: Fixtures.directory + "/images/rgb.npy").bytes
    let fixture = try fixture([1, 16, 16, 3]) {
      $0.fit = .crop
      $0.mean = [120, 110, 100]
      $0.deviation = [60, 50, 40]
    }
    defer { fixture.close() }
    let answer = try fixture.infer(
      "p", [encoded([try Self.file("rgb.png"), try Self.file("rgb.png")])])
    #expect(answer.outputs[0].shape == Shape([2, 16, 16, 3]))
    let (mean, deviation): ([Float], [Float]) = ([120, 110, 100], [60, 50, 40])
    var wanted: [Float] = []
    for y in 0..<16 {
      for x in 4..<20 {
        for c in 0..<3 {
          wanted.append((Float(pixels[(y * 24 + x) * 3 + c]) - mean[c]) / deviation[c])
        }
      }
    }
    #expect(difference(answer.outputs[0].floats, wanted + wanted) < 1e-5)
  }

  @Test("take pixels as they are, one picture or several")
  func raw() throws {
    let pixels = try NumPyArray(path: Fixtures.directory + "/images/rgb.npy").bytes
    let fixture = try fixture([1, 16, 24, 3]) {
      $0.source = .pixels
      $0.pixelsMaximum = 400
    }
    defer { fixture.close() }
    let one = NamedTensor(
      name: "image", dataType: .uint8, shape: Shape([16, 24, 3]), bytes: pixels)
    #expect(try fixture.infer("p", [one]).outputs[0].floats == pixels.map(Float.init))
    var two = one
    two.shape = Shape([2, 16, 24, 3])
    two.bytes += pixels
    #expect(try fixture.infer("p", [two]).outputs[0].shape == Shape([2, 16, 24, 3]))
    var wrong = one
    wrong.shape = Shape([16, 24, 1])
    #expect(throws: ServingError.self) { try fixture.infer("p", [wrong]) }
    wrong = one
    wrong.bytes.removeLast()
    #expect(throws: ServingError.wrongByteCount(input: "image", expected: 1152, actual: 1151)) {
      try fixture.infer("p", [wrong])
    }
    wrong = one
    wrong.shape = Shape([21, 20, 3])
    wrong.bytes = [UInt8](repeating: 0, count: 1260)
    #expect(
      reason(fixture, wrong) == "the image is 20 × 21 pixels; at most 400 pixels are taken")
  }

  private func reason(_ fixture: PipelineFixture, _ tensor: NamedTensor) -> String? {
    do throws(ServingError) {
      _ = try fixture.infer("p", [tensor])
    } catch {
      if case .elementRefused("image", _, let reason) = error { return reason }
      return "\(error)"
    }
    return nil
  }

  @Test("are refused with what is wrong with them")
  func refusals() throws {
    let fixture = try fixture([1, 4, 4, 3]) { $0.pixelsMaximum = 384 }
    defer { fixture.close() }
    let png = try Self.file("rgb.png")
    let jpeg = try Self.file("rgb.jpg")
    #expect(reason(fixture, encoded([png])) == nil)
    #expect(reason(fixture, encoded([[1, 2, 3]])) == "it is neither a JPEG nor a PNG file")
    #expect(reason(fixture, encoded([[]])) == "it is neither a JPEG nor a PNG file")
    #expect(
      reason(fixture, encoded([try Self.file("cmyk.jpg")]))?.contains("cyan, magenta") == true)
    #expect(
      reason(fixture, encoded([Array(jpeg.dropLast(200))]))?
        .hasPrefix("the JPEG file cannot be decoded: ") == true)
    #expect(
      reason(fixture, encoded([Array(png.dropLast(40))]))?
        .hasPrefix("the PNG file cannot be decoded: ") == true)
    // The second of two is named.
    #expect(throws: ServingError.elementRefused(
      input: "image", index: 1, reason: "it is neither a JPEG nor a PNG file")
    ) { try fixture.infer("p", [encoded([png, [0]])]) }
    // A head that promises a picture of 4 × 10⁹ pixels costs nothing.
    var huge = png
    huge.replaceSubrange(16..<24, with: [0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF])
    let crc = crc32(huge[12..<29])
    for place in 0..<4 { huge[29 + place] = UInt8(truncatingIfNeeded: crc >> UInt32(24 - 8 * place)) }
    #expect(
      reason(fixture, encoded([huge]))
        == "the image is 65535 × 65535 pixels; at most 384 pixels are taken")
    var lengths = encoded([png])
    lengths.bytes[0] &+= 1
    #expect(throws: ServingError.self) { try fixture.infer("p", [lengths]) }
  }

  @Test("of any bytes are decoded or refused, and nothing else happens")
  func fuzz() throws {
    let fixture = try fixture([1, 4, 4, 3]) { $0.pixelsMaximum = 4096 }
    defer { fixture.close() }
    var random = SplitMix64(seed: 0x1A6E)
    for name in ["rgb.png", "palette.png", "grey.png", "rgb.jpg", "progressive.jpg", "grey.jpg"] {
      let file = try Self.file(name)
      for count in stride(from: 0, to: file.count, by: 7) {
        _ = reason(fixture, encoded([Array(file.prefix(count))]))
      }
      for _ in 0..<300 {
        var changed = file
        for _ in 0..<Int.random(in: 1...6, using: &random) {
          changed[Int.random(in: 0..<changed.count, using: &random)] = .random(
            in: 0...255, using: &random)
        }
        _ = reason(fixture, encoded([changed]))
      }
    }
    let good = try fixture.infer("p", [encoded([try Self.file("rgb.png")])])
    #expect(good.outputs[0].shape == Shape([1, 4, 4, 3]))
  }

  /// As PNG's chunks have it.
  private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
