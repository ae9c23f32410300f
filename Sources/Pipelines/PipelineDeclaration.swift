/// A pipeline as it is declared: what is made of an input, which models answer, and what is made of
/// their answers.
package struct PipelineDeclaration: Sendable, Equatable {
  /// In their order: at most one of image and audio; then models, each fed by what is before it; then,
  /// at most once, the best classes of the last; then switches.
  package var steps: [PipelineStep]

  package init(steps: [PipelineStep]) { self.steps = steps }

  /// Every model that a request may need, each once, in the order of the steps.
  package var models: [String] {
    var models: [String] = []
    for model in steps.flatMap(\.models) where !models.contains(model) { models.append(model) }
    return models
  }
}

package enum PipelineStep: Sendable, Equatable {
  case image(ImageStep)
  case audio(AudioStep)
  case model(String)
  case top(TopStep)
  case choose(SwitchStep)

  /// As the configuration calls it.
  package var name: String {
    switch self {
    case .image: "image"
    case .audio: "audio"
    case .model: "model"
    case .top: "top"
    case .choose: "switch"
    }
  }

  var models: [String] {
    switch self {
    case .model(let model): [model]
    case .choose(let choice): choice.cases.compactMap(\.model)
    case .image, .audio, .top: []
    }
  }
}

/// The classes of the greatest scores, with their labels.
package struct TopStep: Sendable, Equatable {
  /// How many, best first.
  package var count: Int
  /// Which output of the model holds the scores; nil for its only one.
  package var output: String?

  package init(count: Int, output: String? = nil) {
    self.count = count
    self.output = output
  }
}

/// Decides by the best class of a row what happens to it next: the first case that holds, or nothing.
package struct SwitchStep: Sendable, Equatable {
  package struct Case: Sendable, Equatable {
    /// The best class; nil for any.
    package var label: String?
    /// Bounds of its score, the lower within and the upper without.
    package var scoreAtLeast: Float?
    package var scoreBelow: Float?
    /// Who answers in place of the model before, given what that was given; nil for nobody.
    package var model: String?

    package init(
      label: String? = nil, scoreAtLeast: Float? = nil, scoreBelow: Float? = nil,
      model: String? = nil
    ) {
      self.label = label
      self.scoreAtLeast = scoreAtLeast
      self.scoreBelow = scoreBelow
      self.model = model
    }

    func holds(_ label: String, _ score: Float) -> Bool {
      (self.label ?? label) == label && scoreAtLeast.map { score >= $0 } ?? true
        && scoreBelow.map { score < $0 } ?? true
    }
  }

  package var cases: [Case]

  package init(cases: [Case]) { self.cases = cases }
}

/// Every bound of pipelines, named once.
package enum PipelineLimits {
  package static let pipelinesMaximum = 64
  package static let stepsMaximum = 8
  package static let casesMaximum = 8
  /// Classes that are told.
  package static let topMaximum = 1000
  /// Pixels of an image that may be decoded.
  package static let pixelsDefault = 1 << 21
  package static let pixelsMaximum = 1 << 26
  /// Width and height that images are brought to.
  package static let sideMaximum = 4096
  /// Samples of a sound.
  package static let samplesMaximum = 1 << 22
  package static let transformMaximum = 1 << 14
  package static let bandsMaximum = 512
  /// Frames times samples of each, or frames times bands.
  package static let framedMaximum = 1 << 24
  /// Sets of versions that a pipeline is kept ready for: what serves, and a canary or what did.
  package static let bindingsMaximum = 2
}
