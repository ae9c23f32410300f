import Pipelines

/// A pipeline as the configuration has it: a list of steps, each an object of one key.
struct PipelineDocument: Codable, Sendable, Equatable {
  var declaration: PipelineDeclaration

  init(_ declaration: PipelineDeclaration) { self.declaration = declaration }

  init(from decoder: any Decoder) throws {
    let steps = try decoder.singleValueContainer().decode([StepDocument].self)
    declaration = PipelineDeclaration(steps: steps.map(\.step))
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(declaration.steps.map(StepDocument.init))
  }
}

/// `{"model": "digits"}`, `{"top": 5}`, `{"switch": […]}`, `{"image": {…}}` or `{"audio": {…}}`.
private struct StepDocument: Codable {
  var step: PipelineStep

  private enum Key: String, CodingKey, CaseIterable { case image, audio, model, top, `switch` }

  init(_ step: PipelineStep) { self.step = step }

  init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    guard values.allKeys.count == 1, let key = values.allKeys.first else {
      throw AgentError.invalidValue(
        key: decoder.codingPath.map(\.stringValue).joined(separator: "."),
        value: values.allKeys.map(\.stringValue).sorted().joined(separator: ", "),
        expected: "one of image, audio, model, top and switch in each step")
    }
    step =
      switch key {
      case .image: .image(try values.decode(ImageDocument.self, forKey: key).step)
      case .audio: .audio(try values.decode(AudioDocument.self, forKey: key).step)
      case .model: .model(try values.decode(String.self, forKey: key))
      case .top: .top(try values.decode(TopDocument.self, forKey: key).step)
      case .switch:
        .choose(
          SwitchStep(cases: try values.decode([CaseDocument].self, forKey: key).map(\.one)))
      }
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    switch step {
    case .image(let image): try values.encode(ImageDocument(image), forKey: .image)
    case .audio(let audio): try values.encode(AudioDocument(audio), forKey: .audio)
    case .model(let model): try values.encode(model, forKey: .model)
    case .top(let top): try values.encode(TopDocument(top), forKey: .top)
    case .choose(let choice):
      try values.encode(choice.cases.map(CaseDocument.init), forKey: .switch)
    }
  }
}

/// `5`, or `{"k": 5, "output": "probabilities"}`.
private struct TopDocument: Codable {
  var step: TopStep

  private enum Key: String, CodingKey, CaseIterable { case k, output }

  init(_ step: TopStep) { self.step = step }

  init(from decoder: any Decoder) throws {
    if let count = try? decoder.singleValueContainer().decode(Int.self) {
      step = TopStep(count: count)
      return
    }
    let values = try decoder.strictContainer(keyedBy: Key.self)
    step = TopStep(
      count: try values.decode(Int.self, forKey: .k),
      output: try values.decodeIfPresent(String.self, forKey: .output))
  }

  func encode(to encoder: any Encoder) throws {
    guard step.output != nil else {
      var value = encoder.singleValueContainer()
      return try value.encode(step.count)
    }
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(step.count, forKey: .k)
    try values.encodeIfPresent(step.output, forKey: .output)
  }
}

/// `{"label": "person", "score_at_least": 0.5, "model": "faces"}`
private struct CaseDocument: Codable {
  var one: SwitchStep.Case

  private enum Key: String, CodingKey, CaseIterable { case label, score_at_least, score_below, model }

  init(_ one: SwitchStep.Case) { self.one = one }

  init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    one = SwitchStep.Case(
      label: try values.decodeIfPresent(String.self, forKey: .label),
      scoreAtLeast: try values.decodeIfPresent(Float.self, forKey: .score_at_least),
      scoreBelow: try values.decodeIfPresent(Float.self, forKey: .score_below),
      model: try values.decodeIfPresent(String.self, forKey: .model))
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encodeIfPresent(one.label, forKey: .label)
    try values.encodeIfPresent(one.scoreAtLeast, forKey: .score_at_least)
    try values.encodeIfPresent(one.scoreBelow, forKey: .score_below)
    try values.encodeIfPresent(one.model, forKey: .model)
  }
}

/// The settings of an image step; what is left out is as `ImageStep` has it.
private struct ImageDocument: Codable {
  var step: ImageStep

  private enum Key: String, CodingKey, CaseIterable {
    case source, formats, width, height, resize, fit, mean, std, pixels_maximum
  }

  init(_ step: ImageStep) { self.step = step }

  init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    step = ImageStep()
    if let source = try values.word(ImageStep.Source.self, .source) { step.source = source }
    if let names = try values.decodeIfPresent([String].self, forKey: .formats) {
      step.formats = try names.map {
        try configuredWord(ImageStep.Format.self, $0, values.codingPath, Key.formats)
      }
    }
    step.width = try values.decodeIfPresent(Int.self, forKey: .width)
    step.height = try values.decodeIfPresent(Int.self, forKey: .height)
    if let resize = try values.word(ImageStep.Resize.self, .resize) { step.resize = resize }
    if let fit = try values.word(ImageStep.Fit.self, .fit) { step.fit = fit }
    if let mean = try values.decodeIfPresent([Float].self, forKey: .mean) { step.mean = mean }
    if let std = try values.decodeIfPresent([Float].self, forKey: .std) { step.deviation = std }
    if let pixels = try values.decodeIfPresent(Int.self, forKey: .pixels_maximum) {
      step.pixelsMaximum = pixels
    }
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(step.source.rawValue, forKey: .source)
    try values.encode(step.formats.map(\.rawValue), forKey: .formats)
    try values.encodeIfPresent(step.width, forKey: .width)
    try values.encodeIfPresent(step.height, forKey: .height)
    try values.encode(step.resize.rawValue, forKey: .resize)
    try values.encode(step.fit.rawValue, forKey: .fit)
    try values.encode(step.mean, forKey: .mean)
    try values.encode(step.deviation, forKey: .std)
    try values.encode(step.pixelsMaximum, forKey: .pixels_maximum)
  }
}

/// The settings of an audio step; what is left out is as `AudioStep` has it.
private struct AudioDocument: Codable {
  var step: AudioStep

  private enum Key: String, CodingKey, CaseIterable {
    case features, source, samples, sample_rate, frame_length, frame_step, fft_length, power
    case mel_bands, lowest_hz, highest_hz, log_offset, coefficients
  }

  init(_ step: AudioStep) { self.step = step }

  init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: Key.self)
    let features = try configuredWord(
      AudioStep.Features.self, try values.decode(String.self, forKey: .features),
      values.codingPath, Key.features)
    step = AudioStep(
      features: features, samples: try values.decode(Int.self, forKey: .samples),
      sampleRate: try values.decode(Int.self, forKey: .sample_rate),
      frameLength: try values.decode(Int.self, forKey: .frame_length),
      frameStep: try values.decode(Int.self, forKey: .frame_step))
    if let source = try values.word(AudioStep.Source.self, .source) { step.source = source }
    step.transformLength = try values.decodeIfPresent(Int.self, forKey: .fft_length)
    if let power = try values.decodeIfPresent(Int.self, forKey: .power) { step.power = power }
    if let bands = try values.decodeIfPresent(Int.self, forKey: .mel_bands) { step.bands = bands }
    if let low = try values.decodeIfPresent(Float.self, forKey: .lowest_hz) { step.lowestHertz = low }
    step.highestHertz = try values.decodeIfPresent(Float.self, forKey: .highest_hz)
    if let offset = try values.decodeIfPresent(Float.self, forKey: .log_offset) {
      step.offset = offset
    }
    if let count = try values.decodeIfPresent(Int.self, forKey: .coefficients) {
      step.coefficients = count
    }
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(step.features.rawValue, forKey: .features)
    try values.encode(step.source.rawValue, forKey: .source)
    try values.encode(step.samples, forKey: .samples)
    try values.encode(step.sampleRate, forKey: .sample_rate)
    try values.encode(step.frameLength, forKey: .frame_length)
    try values.encode(step.frameStep, forKey: .frame_step)
    try values.encodeIfPresent(step.transformLength, forKey: .fft_length)
    try values.encode(step.power, forKey: .power)
    try values.encode(step.bands, forKey: .mel_bands)
    try values.encode(step.lowestHertz, forKey: .lowest_hz)
    try values.encodeIfPresent(step.highestHertz, forKey: .highest_hz)
    try values.encode(step.offset, forKey: .log_offset)
    try values.encode(step.coefficients, forKey: .coefficients)
  }
}

/// The value that `text` is the word for.
private func configuredWord<Value: RawRepresentable<String> & CaseIterable>(
  _: Value.Type, _ text: String, _ path: [any CodingKey], _ key: any CodingKey
) throws -> Value {
  guard let value = Value(rawValue: text) else {
    throw AgentError.invalidValue(
      key: (path + [key]).map(\.stringValue).joined(separator: "."), value: text,
      expected: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return value
}

extension KeyedDecodingContainer {
  fileprivate func word<Value: RawRepresentable<String> & CaseIterable>(
    _: Value.Type, _ key: Key
  ) throws -> Value? {
    try decodeIfPresent(String.self, forKey: key).map {
      try configuredWord(Value.self, $0, codingPath, key)
    }
  }
}
