/// Makes features of a sound: overlapping frames, each windowed and transformed.
///
/// With `x` a frame of `frameLength` samples times a periodic Hann window, filled with zeros to
/// `transformLength`: magnitudes `|FFT(x)|` to the power of `power`; bands `Σ weight · magnitude`
/// over triangles that are equally wide in mel; `log(bands + offset)`; and of these the first
/// coefficients of a cosine transform. The features of `tf.signal`.
package struct AudioStep: Sendable, Equatable {
  package enum Features: String, Sendable, Equatable, CaseIterable {
    /// `[1, frames, transformLength / 2 + 1]`
    case spectrogram
    /// Bands: `[1, frames, bands]`
    case mel
    /// The logarithm of the bands, of the same shape.
    case logMel = "log_mel"
    /// `[1, frames, coefficients]`
    case mfcc
  }

  /// What a request brings: numbers from −1 to 1, or codes that are 32768 times these.
  package enum Source: String, Sendable, Equatable, CaseIterable {
    case float32, int16
  }

  package var features: Features
  package var source = Source.float32
  /// Samples of a sound.
  package var samples: Int
  /// Samples a second.
  package var sampleRate: Int
  /// In samples.
  package var frameLength: Int
  package var frameStep: Int
  /// Nil for the power of two that holds a frame.
  package var transformLength: Int?
  /// 1 for magnitudes, 2 for energies.
  package var power = 1
  package var bands = 40
  package var lowestHertz: Float = 20
  /// Nil for half the sample rate.
  package var highestHertz: Float?
  package var offset: Float = 1e-6
  package var coefficients = 13

  package init(
    features: Features, samples: Int, sampleRate: Int, frameLength: Int, frameStep: Int
  ) {
    self.features = features
    self.samples = samples
    self.sampleRate = sampleRate
    self.frameLength = frameLength
    self.frameStep = frameStep
  }

  /// Whole frames of a sound; what is left over at its end is not looked at.
  package var frames: Int { 1 + (samples - frameLength) / frameStep }

  var transform: Int {
    if let transformLength { return transformLength }
    var length = 4
    while length < frameLength { length *= 2 }
    return length
  }

  var highest: Float { highestHertz ?? Float(sampleRate) / 2 }

  func validate(step: Int) throws(PipelineError) {
    try check(step, "samples", Double(samples), 1...Double(PipelineLimits.samplesMaximum))
    try check(step, "sample_rate", Double(sampleRate), 1...1_000_000)
    let longest = min(samples, PipelineLimits.transformMaximum)
    try check(step, "frame_length", Double(frameLength), 1...Double(longest))
    try check(step, "frame_step", Double(frameStep), 1...Double(PipelineLimits.samplesMaximum))
    if let transformLength {
      try check(
        step, "fft_length", Double(transformLength),
        Double(max(4, frameLength))...Double(PipelineLimits.transformMaximum))
      guard transformLength & (transformLength - 1) == 0 else {
        throw .outOfBounds(
          step: step, key: "fft_length", value: Double(transformLength),
          expected: "a power of two")
      }
    }
    try check(step, "power", Double(power), 1...2)
    try check(step, "mel_bands", Double(bands), 1...Double(PipelineLimits.bandsMaximum))
    try check(step, "coefficients", Double(coefficients), 1...Double(bands))
    try check(step, "lowest_hz", Double(lowestHertz), 0...Double(sampleRate) / 2)
    guard highest > lowestHertz, highest <= Float(sampleRate) / 2 else {
      throw .outOfBounds(
        step: step, key: "highest_hz", value: Double(highest),
        expected: "above \"lowest_hz\" and at most half the sample rate")
    }
    try check(step, "log_offset", Double(offset), 0...1)
    let largest = frames.multipliedReportingOverflow(by: max(transform, bands))
    guard !largest.overflow, largest.partialValue <= PipelineLimits.framedMaximum else {
      throw .outOfBounds(
        step: step, key: "samples", value: Double(samples),
        expected: "fewer, or of fewer frames: at most \(PipelineLimits.framedMaximum) numbers")
    }
  }
}
