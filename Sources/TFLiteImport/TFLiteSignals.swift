import ByteParsing
import ModelGraph
import Tensors

/// Custom operators of audio front ends, whose options are FlexBuffers.
extension TFLiteOperatorReader {
  func signal() throws(TFLiteError) -> Signal {
    let numbers = try parsing { () throws(ParsingError) in
      var numbers: [String: Int] = [:]
      let bytes = try table.byteVector(TFLiteSchema.Operator.customOptions)
      let keys = Self.keys(builtin)
      guard let bytes, !keys.isEmpty else { return numbers }
      let options = try FlexBufferMap(bytes)
      for key in keys { numbers[key] = try options.integer(key) }
      return numbers
    }
    return Self.signal(builtin, numbers)
  }

  private static func keys(_ builtin: TFLiteBuiltin) -> [String] {
    switch builtin {
    case .signalWindow: ["shift"]
    case .signalSpectrum, .inverseSpectrum: ["fft_length"]
    case .overlapAdd: ["frame_step"]
    case .signalEnergy: ["start_index", "end_index"]
    case .filterBank: ["num_channels"]
    case .gainControl: ["snr_shift"]
    case .filterBankLogarithm: ["output_scale", "input_correction_bits"]
    case .subtractNoise:
      [
        "smoothing", "one_minus_smoothing", "alternate_smoothing",
        "alternate_one_minus_smoothing", "min_signal_remaining", "smoothing_bits",
        "spectral_subtraction_bits", "clamping",
      ]
    default: []
    }
  }

  /// Options that are not given are 0, which graph validation refuses where it means nothing.
  private static func signal(_ builtin: TFLiteBuiltin, _ numbers: [String: Int]) -> Signal {
    func option(_ key: String) -> Int { numbers[key] ?? 0 }
    return switch builtin {
    case .signalWindow: .window(shift: option("shift"))
    case .signalSpectrum: .spectrum(length: option("fft_length"))
    case .inverseSpectrum: .inverseSpectrum(length: option("fft_length"))
    case .overlapAdd: .overlapAdd(step: option("frame_step"))
    case .signalEnergy: .energy(start: option("start_index"), end: option("end_index"))
    case .filterBank: .filterBank(channels: option("num_channels"))
    case .filterBankRoot: .squareRoot
    case .subtractNoise: .subtractNoise(noise(numbers))
    case .gainControl: .gainControl(shift: option("snr_shift"))
    case .filterBankLogarithm:
      .logarithm(scale: option("output_scale"), bits: option("input_correction_bits"))
    default: .autoScale
    }
  }

  private static func noise(_ numbers: [String: Int]) -> NoiseSubtraction {
    func number(_ key: String) -> UInt32 { UInt32(truncatingIfNeeded: numbers[key] ?? 0) }
    return NoiseSubtraction(
      smoothing: number("smoothing"), keeping: number("one_minus_smoothing"),
      oddSmoothing: number("alternate_smoothing"),
      oddKeeping: number("alternate_one_minus_smoothing"),
      minimumRemaining: number("min_signal_remaining"),
      smoothingBits: number("smoothing_bits"), bits: number("spectral_subtraction_bits"),
      clamps: number("clamping") != 0)
  }
}

extension TFLiteAssembly {
  /// The estimate of noise is kept from one inference to the next, which the file does not say.
  mutating func keepNoise(of node: inout Node) {
    guard let input = node.input(0), let type = type(input), node.outputs.count == 2 else {
      return
    }
    keep(node.outputs[1], as: type, operandOf: &node)
  }

  /// Sums of frames that are not complete are kept from one inference to the next, which the file does not say.
  mutating func keepSums(of node: inout Node) {
    guard let input = node.input(0), var type = type(input), type.shape.rank > 1,
      node.outputs.count == 1
    else { return }
    let extents = type.shape.extents
    type.shape = Shape(extents.dropLast(2) + [extents[extents.count - 1]])
    node.outputs.append(append(type))
    keep(node.outputs[1], as: type, operandOf: &node)
  }
}
