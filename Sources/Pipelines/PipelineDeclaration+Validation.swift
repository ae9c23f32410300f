extension PipelineDeclaration {
  /// Checks what the declaration alone shows.
  ///
  /// - Parameter isModel: whether a model is configured.
  package func validate(isModel: (String) -> Bool) throws(PipelineError) {
    guard !steps.isEmpty else { throw .noSteps }
    guard steps.count <= PipelineLimits.stepsMaximum else {
      throw .tooManySteps(limit: PipelineLimits.stepsMaximum, actual: steps.count)
    }
    var before: PipelineStep?
    for (index, step) in steps.enumerated() {
      try place(index, step, after: before)
      switch step {
      case .model: break
      case .image(let image): try image.validate(step: index)
      case .audio(let audio): try audio.validate(step: index)
      case .top(let top):
        try check(
          index, "k", Double(top.count), 1...Double(PipelineLimits.topMaximum))
      case .choose(let choice): try validate(choice, step: index)
      }
      if let model = step.models.first(where: { !isModel($0) }) {
        throw .unknownModel(step: index, model: model)
      }
      before = step
    }
    guard !models.isEmpty else { throw .noModel }
  }

  private func place(
    _ index: Int, _ step: PipelineStep, after before: PipelineStep?
  ) throws(PipelineError) {
    let expected: String
    switch (before, step) {
    case (nil, .image), (nil, .audio), (nil, .model): return
    case (.image, .model), (.audio, .model), (.model, .model), (.model, .top): return
    case (.top, .choose), (.choose, .choose): return
    case (nil, _): expected = "\"image\", \"audio\" or \"model\" at the start"
    case (.image, _), (.audio, _): expected = "a \"model\" after it"
    case (.model, _): expected = "a \"model\" or \"top\" after a model"
    case (.top, _), (.choose, _): expected = "a \"switch\" or nothing after \"top\""
    }
    throw .misplaced(step: index, name: step.name, expected: expected)
  }

  private func validate(_ choice: SwitchStep, step: Int) throws(PipelineError) {
    guard (1...PipelineLimits.casesMaximum).contains(choice.cases.count) else {
      throw .tooManyCases(
        step: step, limit: PipelineLimits.casesMaximum, actual: choice.cases.count)
    }
    for one in choice.cases {
      for (key, score) in [("score_at_least", one.scoreAtLeast), ("score_below", one.scoreBelow)] {
        guard let score, !score.isFinite else { continue }
        throw .outOfBounds(step: step, key: key, value: Double(score), expected: "a finite number")
      }
    }
  }
}

/// Refuses a number beyond its bounds.
func check(
  _ step: Int, _ key: String, _ value: Double, _ range: ClosedRange<Double>
) throws(PipelineError) {
  guard range.contains(value) else {
    let bounds = [range.lowerBound, range.upperBound].map {
      Int(exactly: $0).map(String.init) ?? "\($0)"
    }
    throw .outOfBounds(step: step, key: key, value: value, expected: "\(bounds[0]) to \(bounds[1])")
  }
}
