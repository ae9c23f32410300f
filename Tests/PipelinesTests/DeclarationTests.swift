import Pipelines
import Testing

@Suite("Pipeline declarations")
struct DeclarationTests {
  private func refusal(_ steps: PipelineStep...) -> PipelineError? {
    do throws(PipelineError) {
      try PipelineDeclaration(steps: steps).validate { ["a", "b"].contains($0) }
      return nil
    } catch {
      return error
    }
  }

  private let always = SwitchStep(cases: [SwitchStep.Case(model: "b")])

  @Test("take steps in the one order that makes sense")
  func order() {
    #expect(refusal(.model("a")) == nil)
    #expect(refusal(.image(ImageStep()), .model("a"), .model("b"), .top(TopStep(count: 3))) == nil)
    #expect(refusal(.model("a"), .top(TopStep(count: 1)), .choose(always), .choose(always)) == nil)
    #expect(refusal() == .noSteps)
    #expect(refusal(.image(ImageStep())) == .noModel)
    guard case .misplaced(0, "top", _) = refusal(.top(TopStep(count: 1))) else {
      Issue.record("top came first")
      return
    }
    guard case .misplaced(1, "switch", _) = refusal(.model("a"), .choose(always)) else {
      Issue.record("a switch came before top")
      return
    }
    guard case .misplaced(2, "model", _) = refusal(
      .model("a"), .top(TopStep(count: 1)), .model("b"))
    else {
      Issue.record("a model came after top")
      return
    }
  }

  @Test("are bounded in everything that has a number")
  func bounds() {
    let many = [PipelineStep](repeating: .model("a"), count: 9)
    #expect(throws: PipelineError.tooManySteps(limit: 8, actual: 9)) {
      try PipelineDeclaration(steps: many).validate { _ in true }
    }
    #expect(
      refusal(.model("a"), .top(TopStep(count: 0)))
        == .outOfBounds(step: 1, key: "k", value: 0, expected: "1 to 1000"))
    #expect(refusal(.model("c")) == .unknownModel(step: 0, model: "c"))
    #expect(
      refusal(.model("a"), .top(TopStep(count: 1)), .choose(SwitchStep(cases: [])))
        == .tooManyCases(step: 2, limit: 8, actual: 0))
    var image = ImageStep()
    image.mean = [1, 2]
    #expect(
      refusal(.image(image), .model("a"))
        == .channelCount(step: 0, key: "mean", expected: 3, actual: 2))
    image = ImageStep()
    image.deviation = [0]
    guard case .outOfBounds(0, "std", 0, _) = refusal(.image(image), .model("a")) else {
      Issue.record("a deviation of zero was taken")
      return
    }
  }

  @Test("of sounds must hold a frame and be transformable")
  func sounds() {
    var audio = AudioStep(
      features: .mfcc, samples: 16000, sampleRate: 16000, frameLength: 480, frameStep: 320)
    #expect(refusal(.audio(audio), .model("a")) == nil)
    #expect(audio.frames == 49)
    audio.transformLength = 500
    guard case .outOfBounds(0, "fft_length", 500, _) = refusal(.audio(audio), .model("a")) else {
      Issue.record("a transform of 500 was taken")
      return
    }
    audio.transformLength = nil
    audio.highestHertz = 9000
    guard case .outOfBounds(0, "highest_hz", 9000, _) = refusal(.audio(audio), .model("a")) else {
      Issue.record("9 kHz of 16 000 samples a second were taken")
      return
    }
    audio.highestHertz = nil
    audio.lowestHertz = 8000
    guard case .outOfBounds(0, "highest_hz", 8000, _) = refusal(.audio(audio), .model("a")) else {
      Issue.record("no band was left")
      return
    }
    audio.samples = 100
    guard case .outOfBounds(0, "frame_length", 480, _) = refusal(.audio(audio), .model("a")) else {
      Issue.record("a frame longer than the sound was taken")
      return
    }
  }
}
