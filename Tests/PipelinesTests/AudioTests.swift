import Glibc
import Pipelines
import Serving
import Tensors
import TestSupport
import Testing

@Suite("Sounds of pipelines")
struct AudioTests {
  private static func step(_ features: AudioStep.Features) -> AudioStep {
    var step = AudioStep(
      features: features, samples: 850, sampleRate: 8000, frameLength: 100, frameStep: 40)
    step.bands = 20
    step.lowestHertz = 80
    step.highestHertz = 3600
    step.coefficients = 7
    return step
  }

  private static let bins = 65

  private func fixture(_ step: AudioStep, width: Int) throws -> PipelineFixture {
    let fixture = PipelineFixture()
    let directory = TemporaryDirectory("edgeserve-sounds")
    defer { withExtendedLifetime(directory) {} }
    let path = directory.path + "/copy.tflite"
    try CopyModel.write([1, Int32(step.frames), Int32(width)], to: path)
    try fixture.load("copy", 1, path)
    fixture.pipelines.change([
      "p": PipelineDeclaration(steps: [.audio(step), .model("copy")])
    ])
    return fixture
  }

  /// A tone with noise on it, the same each time.
  private func sound(_ count: Int) -> [Float] {
    var random = SplitMix64(seed: 0x50_0D)
    return (0..<count).map { index in
      0.6 * sin(Float(index) * 0.7) + .random(in: -0.2...0.2, using: &random)
    }
  }

  private func tensor(_ numbers: [Float], rows: Int = 1) -> NamedTensor {
    NamedTensor(
      name: "audio", dataType: .float32, shape: Shape([rows, numbers.count / rows]),
      bytes: numbers.flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> UInt32($0 * 8)) }
      })
  }

  /// The formula of the step, one element at a time and in double precision.
  private func reference(_ x: [Float], _ step: AudioStep) -> [Float] {
    let bins = Self.bins
    func mel(_ hertz: Double) -> Double { 1127 * log(1 + hertz / 700) }
    let low = mel(Double(step.lowestHertz))
    let high = mel(Double(step.highestHertz ?? 0))
    return (0..<step.frames).flatMap { frame -> [Float] in
      var spectrum = [Double](repeating: 0, count: bins)
      for bin in 0..<bins {
        var (real, imaginary) = (0.0, 0.0)
        for i in 0..<step.frameLength {
          let window = 0.5 - 0.5 * cos(2 * Double.pi * Double(i) / Double(step.frameLength))
          let value = Double(x[frame * step.frameStep + i]) * window
          let angle = -2 * Double.pi * Double(bin * i) / 128
          real += value * cos(angle)
          imaginary += value * sin(angle)
        }
        spectrum[bin] = pow(sqrt(real * real + imaginary * imaginary), Double(step.power))
      }
      guard step.features != .spectrogram else { return spectrum.map(Float.init) }
      var bands = (0..<step.bands).map { band in
        let edges = (0...2).map {
          low + (high - low) * Double(band + $0) / Double(step.bands + 1)
        }
        return (1..<bins).reduce(0.0) { sum, bin in
          let place = mel(Double(bin) * 4000 / Double(bins - 1))
          let weight = min(
            (place - edges[0]) / (edges[1] - edges[0]), (edges[2] - place) / (edges[2] - edges[1]))
          return sum + max(0, weight) * spectrum[bin]
        }
      }
      guard step.features != .mel else { return bands.map(Float.init) }
      bands = bands.map { log($0 + Double(step.offset)) }
      guard step.features == .mfcc else { return bands.map(Float.init) }
      return (0..<step.coefficients).map { coefficient in
        Float(
          sqrt(2 / Double(step.bands))
            * bands.enumerated().reduce(0.0) { sum, entry in
              sum + entry.element
                * cos(Double.pi * Double(coefficient) * (Double(entry.offset) + 0.5) / Double(step.bands))
            })
      }
    }
  }

  @Test(
    "become the features of the formula, whatever their kind",
    arguments: AudioStep.Features.allCases, [1, 2])
  func features(features: AudioStep.Features, power: Int) throws {
    var step = Self.step(features)
    step.power = power
    let width =
      switch features {
      case .spectrogram: Self.bins
      case .mel, .logMel: step.bands
      case .mfcc: step.coefficients
      }
    let fixture = try fixture(step, width: width)
    defer { fixture.close() }
    let x = sound(step.samples)
    let answer = try fixture.infer("p", [tensor(x)])
    #expect(answer.outputs[0].shape == Shape([1, 19, width]))
    let wanted = reference(x, step)
    for (actual, expected) in zip(answer.outputs[0].floats, wanted) {
      #expect(abs(actual - expected) <= 2e-4 * max(1, abs(expected)))
    }
    // Two at once are one after the other.
    let two = try fixture.infer("p", [tensor(x + x, rows: 2)])
    #expect(two.outputs[0].floats == answer.outputs[0].floats + answer.outputs[0].floats)
  }

  @Test("of 16 bits are the same numbers")
  func codes() throws {
    var step = Self.step(.logMel)
    step.source = .int16
    let fixture = try fixture(step, width: step.bands)
    defer { fixture.close() }
    let codes = sound(step.samples).map { Int16($0 * 32768 * 0.9) }
    let given = NamedTensor(
      name: "audio", dataType: .int16, shape: Shape([850]),
      bytes: codes.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
    let answer = try fixture.infer("p", [given]).outputs[0].floats
    for (actual, expected) in zip(answer, reference(codes.map { Float($0) / 32768 }, step)) {
      #expect(abs(actual - expected) <= 2e-4 * max(1, abs(expected)))
    }
  }

  @Test("of another length or type are refused, and so is a model of another shape")
  func refusals() throws {
    let step = Self.step(.mel)
    let fixture = try fixture(step, width: step.bands)
    defer { fixture.close() }
    #expect(throws: ServingError.wrongShape(
      input: "audio", expected: Shape([-1, 850]), actual: Shape([1, 849]))
    ) { try fixture.infer("p", [tensor(sound(849))]) }
    var other = tensor(sound(850))
    other.dataType = .int16
    #expect(throws: ServingError.wrongDataType(input: "audio", expected: .float32, actual: .int16)) {
      try fixture.infer("p", [other])
    }
    fixture.pipelines.change([
      "p": PipelineDeclaration(steps: [.audio(Self.step(.mfcc)), .model("copy")])
    ])
    #expect(
      fixture.misfit("p")
        == "Step 2: the model copy takes float32 [1, 19, 20]; what comes is float32 [1, 19, 7].")
  }
}
