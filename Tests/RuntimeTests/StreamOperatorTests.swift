import ByteParsing
import Glibc
import KernelDispatch
import KernelInterface
import Runtime
import TFLiteImport
import TestSupport
import Testing

/// Custom operators of audio front ends that keep samples, against their definitions on the whole stream.
@Suite("Operators on streams")
struct StreamOperatorTests {
  private static let int16: Int8 = 7

  private func model(
    _ name: String, _ options: [String: Int], input: [Int], output: [Int], type: Int8 = int16,
    hasFlag: Bool = false
  ) throws -> [UInt8] {
    var file = SingleOperatorFile(custom: name)
    let x = file.input(input, type: type)
    var outputs = [file.output(output, type: type)]
    if hasFlag { outputs.append(file.output([], type: 6)) }
    return file.bytes([x], outputs, customOptions: options)
  }

  private func samples(_ count: Int, _ random: inout SplitMix64) -> [Int16] {
    (0..<count).map { _ in Int16.random(in: .min ... .max, using: &random) }
  }

  private func bytes(_ samples: [Int16]) -> [UInt8] {
    samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
  }

  private func int16s(_ bytes: [UInt8]) -> [Int16] {
    stride(from: 0, to: bytes.count, by: 2).map {
      Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
    }
  }

  @Test("a delay gives each row later", arguments: [0, 1, 3, 8, 21])
  func delay(length: Int) throws {
    let running = try RunningModel(
      ByteView(
        model("SignalDelay", ["delay_length": length], input: [2, 8], output: [2, 8])), .best)
    var random = SplitMix64(seed: 3)
    var streams = [[Int16]](repeating: [Int16](repeating: 0, count: length), count: 2)
    for step in 0..<5 {
      let input = samples(16, &random)
      streams[0] += input[..<8]
      streams[1] += input[8...]
      let expected = streams.flatMap { $0[(8 * step)..<(8 * step + 8)] }
      #expect(int16s(running.outputs(for: [bytes(input)])[0]) == expected)
    }
  }

  @Test(
    "frames are cut out of the stream",
    arguments: [(5, 2, 1), (5, 2, 0), (4, 4, 0), (4, 4, 1), (3, 4, 0), (12, 2, 0), (9, 4, 1)])
  func frames(size: Int, step: Int, prefill: Int) throws {
    let count = 8 / step
    let running = try RunningModel(
      ByteView(
        model(
          "SignalFramer", ["frame_size": size, "frame_step": step, "prefill": prefill],
          input: [2, 8], output: [2, count, size], hasFlag: true)), .best)
    var random = SplitMix64(seed: 4)
    // Frame k begins so many steps after the stream does that its first step comes with it.
    let before = prefill == 1 ? size - step : (size + step - 1) / step * step - step
    var streams = [[Int16]](repeating: [Int16](repeating: 0, count: before), count: 2)
    for inference in 0..<6 {
      let input = samples(16, &random)
      streams[0] += input[..<8]
      streams[1] += input[8...]
      let outputs = running.outputs(for: [bytes(input)])
      let expected = streams.flatMap { stream in
        (0..<count).flatMap { frame in
          stream[(8 * inference + frame * step)...].prefix(size)
        }
      }
      #expect(int16s(outputs[0]) == expected)
      // The first frame of this inference has no sample from before the stream.
      let isWhole = prefill == 1 || 8 * inference >= before
      #expect(outputs[1] == [isWhole ? 1 : 0])
    }
  }

  @Test(
    "frames are stacked with those around them",
    arguments: [(0, 0, 1), (2, 1, 1), (1, 2, 3), (3, 0, 2), (0, 3, 4), (1, 1, 2)])
  func stacks(before: Int, after: Int, step: Int) throws {
    let frames = before + 1 + after
    let running = try RunningModel(
      ByteView(
        model(
          "SignalStacker",
          [
            "num_channels": 3, "stacker_left_context": before, "stacker_right_context": after,
            "stacker_step": step,
          ], input: [3], output: [3 * frames], hasFlag: true)), .best)
    var random = SplitMix64(seed: 5)
    var stream: [Int16] = []
    for inference in 0..<12 {
      let input = samples(3, &random)
      if inference == 0 { for _ in 0..<before { stream += input } }
      stream += input
      let outputs = running.outputs(for: [bytes(input)])
      let isDue = inference >= after && (inference - after) % step == 0
      #expect(outputs[1] == [isDue ? 1 : 0])
      if isDue { #expect(int16s(outputs[0]) == Array(stream.suffix(3 * frames))) }
    }
  }

  @Test("frames of codes are added where they overlap", arguments: KernelTable.supported)
  func overlapInt16(table: KernelTable) throws {
    for (size, step) in [(6, 2), (5, 3), (4, 4), (7, 1)] {
      let running = try RunningModel(
        ByteView(
          model(
            "SignalOverlapAdd", ["T": 7, "frame_step": step], input: [2, 3, size],
            output: [2, 3 * step])), table)
      var random = SplitMix64(seed: 6)
      var sums = [[Int]](repeating: [Int](repeating: 0, count: size), count: 2)
      for _ in 0..<3 {
        let input = samples(6 * size, &random)
        var expected: [Int16] = []
        for row in 0..<2 {
          for frame in 0..<3 {
            for i in 0..<size {
              let sum = sums[row][i] + Int(input[(3 * row + frame) * size + i])
              sums[row][i] = max(-32768, min(32767, sum))
            }
            expected += sums[row][..<step].map { Int16($0) }
            sums[row] = Array(sums[row][step...]) + [Int](repeating: 0, count: step)
          }
        }
        #expect(int16s(running.outputs(for: [bytes(input)])[0]) == expected)
      }
    }
  }

  @Test("frames of numbers are added where they overlap", arguments: KernelTable.supported)
  func overlapFloat32(table: KernelTable) throws {
    let running = try RunningModel(
      ByteView(
        model(
          "SignalOverlapAdd", ["T": 0, "frame_step": 2], input: [4, 5], output: [8], type: 0)),
      table)
    // Whole numbers, whose sums are exact.
    var stream = [Float](repeating: 0, count: 40)
    for inference in 0..<3 {
      let input = (0..<20).map { Float($0 * $0 + inference) }
      for frame in 0..<4 {
        for i in 0..<5 { stream[8 * inference + 2 * frame + i] += input[5 * frame + i] }
      }
      let expected = Array(stream[(8 * inference)..<(8 * inference + 8)])
      let raw = input.flatMap { number in
        (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
      }
      #expect(floats(running.outputs(for: [raw])[0]) == expected)
    }
  }

  /// What has the spectrum `x`, pairs of the frequencies up to half the length.
  private func restored(_ x: [Double], _ length: Int) -> [Double] {
    (0..<length).map { n in
      var sum = 0.0
      for k in 0..<length {
        let place = 2 * min(k, length - k)
        let imaginary = 2 * k == length || k == 0 ? 0 : k > length / 2 ? -x[place + 1] : x[place + 1]
        let angle = 2 * Double.pi * Double(n * k % length) / Double(length)
        sum += x[place] * cos(angle) - imaginary * sin(angle)
      }
      return sum / Double(length)
    }
  }

  @Test("a spectrum leads back to its samples", arguments: [4, 16, 32, 256], KernelTable.supported)
  func inverseSpectrum(length: Int, table: KernelTable) throws {
    var random = SplitMix64(seed: 7)
    let count = length + 2
    for (type, scale) in [(7, 8000.0), (2, 5e8), (0, 1.0)] as [(Int8, Double)] {
      let running = try RunningModel(
        ByteView(
          model(
            "SignalIrfft", ["T": Int(type), "fft_length": length], input: [2, count],
            output: [2, length], type: type)), table)
      let input = (0..<2 * count).map { _ in
        let value = Double.random(in: -scale...scale, using: &random)
        return type == 0 ? Double(Float(value)) : value.rounded()
      }
      let raw = input.flatMap { value -> [UInt8] in
        if type == 7 { return bytes([Int16(value)]) }
        let bits = type == 2 ? UInt32(bitPattern: Int32(value)) : Float(value).bitPattern
        return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
      }
      let output = running.outputs(for: [raw])[0]
      let actual: [Double] =
        type == 7
        ? int16s(output).map { Double($0) }
        : floats(output).map { type == 0 ? Double($0) : Double(Int32(bitPattern: $0.bitPattern)) }
      let expected = restored(Array(input[..<count]), length) + restored(Array(input[count...]), length)
      // Codes are cut at each of the transform's steps.
      let tolerance = type == 0 ? 1e-6 : type == 7 ? 8.0 : 16.0
      #expect(zip(actual, expected).allSatisfy { abs($0 - $1) <= tolerance })
    }
  }

  @Test("a spectrum of real numbers follows its formula", arguments: KernelTable.supported)
  func realSpectrum(table: KernelTable) throws {
    let running = try RunningModel(
      ByteView(
        model(
          "SignalRfft", ["T": 0, "fft_length": 16], input: [2, 13], output: [2, 18], type: 0)),
      table)
    var random = SplitMix64(seed: 8)
    let input = (0..<26).map { _ in Float.random(in: -1...1, using: &random) }
    let raw = input.flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * UInt32($0))) }
    }
    let actual = floats(running.outputs(for: [raw])[0])
    for (index, value) in actual.enumerated() {
      let (row, k) = (index / 18, index % 18 / 2)
      let expected = (0..<13).reduce(0.0) { sum, n in
        let angle = -2 * Double.pi * Double(n * k) / 16
        return sum + Double(input[13 * row + n]) * (index % 2 == 0 ? cos(angle) : sin(angle))
      }
      #expect(abs(Double(value) - expected) < 1e-5)
    }
  }

  /// A file whose result is called a variable, as such operators have it.
  private func circularBuffer(cycles: Int?, type: Int8 = 9) -> [UInt8] {
    var file = SingleOperatorFile(custom: "CIRCULAR_BUFFER")
    let x = file.input([1, 1, 2, 3], type: type, scales: [0.5])
    let y = file.output([1, 4, 2, 3], type: type, scales: [0.5], isVariable: true)
    return file.bytes([x], [y], customOptions: cycles.map { ["cycles_max": $0] })
  }

  @Test("a buffer keeps its newest slots")
  func slots() throws {
    let running = try RunningModel(ByteView(circularBuffer(cycles: 1)), .best)
    var stream = [UInt8](repeating: 0, count: 24)
    for inference in 0..<6 {
      let input = (0..<6).map { UInt8(40 * inference + $0) }
      stream += input
      #expect(running.outputs(for: [input])[0] == Array(stream.suffix(24)))
    }
  }

  @Test("a buffer that would end most inferences, or of numbers, is refused")
  func slotRefusals() {
    for bytes in [
      circularBuffer(cycles: 2), circularBuffer(cycles: nil), circularBuffer(cycles: 1, type: 0),
    ] {
      #expect(throws: TFLiteError.self) { try TFLiteModel.graph(from: ByteView(bytes)) }
    }
  }

  @Test("what a stream cannot be is refused")
  func refusals() throws {
    let wrong: [(String, [String: Int], [Int], [Int])] = [
      ("SignalDelay", ["delay_length": -1], [8], [8]),
      ("SignalFramer", ["frame_size": 4, "frame_step": 3], [8], [2, 4]),
      ("SignalFramer", ["frame_size": 4, "frame_step": 0], [8], [2, 4]),
      ("SignalFramer", ["frame_size": 3, "frame_step": 4, "prefill": 1], [8], [2, 3]),
      ("SignalOverlapAdd", ["T": 7, "frame_step": 5], [2, 4], [10]),
      ("SignalOverlapAdd", ["T": 7, "frame_step": 0], [2, 4], [0]),
      ("SignalIrfft", ["T": 7, "fft_length": 12], [14], [12]),
      ("SignalIrfft", ["T": 7, "fft_length": 16], [16], [16]),
      (
        "SignalStacker",
        [
          "num_channels": 3, "stacker_left_context": 1, "stacker_right_context": 0,
          "stacker_step": 3,
        ], [3], [6]
      ),
      ("SignalStacker", ["num_channels": 2, "stacker_step": 1], [3], [2]),
    ]
    for (name, options, input, output) in wrong {
      let hasFlag = ["SignalFramer", "SignalStacker"].contains(name)
      let bytes = try model(name, options, input: input, output: output, hasFlag: hasFlag)
      #expect(throws: TFLiteError.self, "\(name) \(options)") {
        try TFLiteModel.graph(from: ByteView(bytes))
      }
    }
  }
}
