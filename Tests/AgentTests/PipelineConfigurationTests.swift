import Agent
import Glibc
import Serving
import TestSupport
import Testing
import Transport

@Suite("Pipelines of the configuration")
struct PipelineConfigurationTests {
  private static func read(_ pipelines: String) throws -> AgentConfiguration {
    var configuration = AgentConfiguration()
    try configuration.apply(
      document: """
        {"models": {"a": "/x", "b": "/y"}, "pipelines": {"p": \(pipelines)}}
        """)
    try configuration.validate()
    return configuration
  }

  /// Why a declaration is refused.
  private static func refusal(_ pipelines: String) -> String? {
    do {
      _ = try read(pipelines)
      return nil
    } catch {
      return (error as? AgentError)?.sentence ?? "\(error)"
    }
  }

  @Test("come out as they went in")
  func roundTrip() throws {
    let text = """
      [
        {"image": {
          "source": "encoded", "formats": ["png"], "width": 8, "height": 9, "resize": "nearest", "fit": "crop",
          "mean": [1, 2, 3], "std": [4], "pixels_maximum": 5}},
        {"model": "a"}, {"top": {"k": 5, "output": "scores"}},
        {"switch": [{"label": "x", "score_at_least": 0.5, "score_below": 0.75, "model": "b"}, {"label": "y"}]}
      ]
      """
    let configuration = try Self.read(text)
    let entry = try #require(configuration.entries.first { $0.key == "pipelines" })
    #expect(entry.isReloadable)
    var again = AgentConfiguration()
    try again.apply(document: "{\"models\": {\"a\": \"/x\", \"b\": \"/y\"}, \"pipelines\": \(entry.value)}")
    #expect(again.pipelines == configuration.pipelines)
    let sound = """
      [{"audio": {
        "features": "mfcc", "source": "int16", "samples": 16000, "sample_rate": 16000, "frame_length": 480,
        "frame_step": 320, "fft_length": 512, "power": 2, "mel_bands": 30, "lowest_hz": 50, "highest_hz": 7000,
        "log_offset": 0.001, "coefficients": 11}}, {"model": "a"}]
      """
    let spoken = try Self.read(sound)
    let value = try #require(spoken.entries.first { $0.key == "pipelines" }).value
    try again.apply(document: "{\"pipelines\": \(value)}")
    #expect(again.pipelines == spoken.pipelines)
  }

  @Test("are refused with the step and what was expected", arguments: [
    ("[]", "no steps"),
    ("[{\"model\": \"c\"}]", "names the model \"c\", which is not configured"),
    ("[{\"model\": \"a\", \"top\": 1}]", "one of image, audio, model, top and switch in each step"),
    ("[{\"modle\": \"a\"}]", "modle"),
    ("[{\"model\": \"a\"}, {\"top\": 0}]", "\"k\" is 0; it must be 1 to 1000"),
    ("[{\"model\": \"a\"}, {\"switch\": [{}]}]", "a \"model\" or \"top\" after a model"),
    ("[{\"image\": {\"fit\": \"squash\"}}, {\"model\": \"a\"}]", "one of stretch, crop"),
    ("[{\"image\": {\"formats\": [\"gif\"]}}, {\"model\": \"a\"}]", "one of jpeg, png"),
    ("[{\"image\": {\"widht\": 8}}, {\"model\": \"a\"}]", "width"),
    ("[{\"audio\": {\"features\": \"mel\"}}, {\"model\": \"a\"}]", "samples"),
  ])
  func refusals(pipeline: String, words: String) throws {
    let sentence = try #require(Self.refusal(pipeline))
    #expect(sentence.contains(words), "\(sentence)")
  }

  @Test("do not take the name of a model")
  func names() {
    var configuration = AgentConfiguration()
    #expect(throws: AgentError.self) {
      try configuration.apply(
        document: "{\"models\": {\"a\": \"/x\"}, \"pipelines\": {\"a\": [{\"model\": \"a\"}]}}")
      try configuration.validate()
    }
  }

  @Test("come, change and go with a reload, and are shown")
  func reload() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": LocalModel(Fixtures.digitsModel(2))]
    }
    defer { running.shutdown() }
    func state() throws -> String? {
      try running.status().models.first { $0.name == "p" }?.versions.first?.state
    }
    #expect(try state() == nil)
    var configuration = running.agent.configuration
    try configuration.apply(document: "{\"pipelines\": {\"p\": [{\"model\": \"digits\"}, {\"top\": 3}]}}")
    #expect(try running.agent.reload(configuration) == [])
    #expect(try running.waitFor { try state() == "serving" })
    let shown = try #require(try running.status().models.first { $0.name == "p" }?.pipeline)
    #expect(shown.steps == ["model digits", "top 3"])
    #expect(shown.versions == ["digits@1"])
    #expect(try running.get("/v2/models/p").status == 200)
    // What cannot be changes nothing.
    var wrong = configuration
    try wrong.apply(document: "{\"pipelines\": {\"p\": [{\"model\": \"other\"}]}}")
    #expect(throws: AgentError.self) { try running.agent.reload(wrong) }
    #expect(try state() == "serving")
    // What does not fit is named in the problems.
    try configuration.apply(document: "{\"pipelines\": {\"p\": [{\"model\": \"digits\"}, {\"top\": 11}]}}")
    #expect(try running.agent.reload(configuration) == [])
    #expect(try running.waitFor { try state() == "refused" })
    let problems = try running.status().problems
    #expect(problems.contains { $0.contains("(misfit)") && $0.contains("digits has 10") }, "\(problems)")
    try configuration.apply(document: "{\"pipelines\": {}}")
    #expect(try running.agent.reload(configuration) == [])
    #expect(try state() == nil)
    #expect(try running.get("/v2/models/p").status == 404)
  }

  @Test("let a version go in that they held back, once they are changed")
  func heldBack() throws {
    let running = try RunningAgent { configuration, directory in
      let base = directory.path + "/digits"
      let next = directory.path + "/next"
      for (place, model) in [
        (base + "/1", Fixtures.digitsModel(2)), (next + "/2", Fixtures.halfPlusTwoModel),
      ] {
        unsafe mkdir(String(place.dropLast(2)), 0o755)
        unsafe mkdir(place, 0o755)
        unsafe symlink(model, place + "/model.tflite")
      }
      configuration.models = ["digits": LocalModel(base)]
      try configuration.apply(
        document: "{\"pipelines\": {\"p\": [{\"model\": \"digits\"}, {\"top\": 3}]}}")
    }
    defer { running.shutdown() }
    #expect(
      try running.waitFor {
        try running.status().models.first { $0.name == "p" }?.versions.first?.state == "serving"
      })
    let base = running.directory.path + "/digits"
    unsafe rename(running.directory.path + "/next/2", base + "/2")
    #expect(
      try running.waitFor {
        try running.status().models.first { $0.name == "digits" }?.versions
          .contains { $0.version == 2 && $0.state == "refused" } ?? false
      })
    #expect(try running.serving() == 1)
    var configuration = running.agent.configuration
    try configuration.apply(document: "{\"pipelines\": {}}")
    #expect(try running.agent.reload(configuration) == [])
    #expect(try running.waitFor { try running.serving() == 2 })
  }
}
