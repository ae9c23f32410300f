import Glibc
import Pipelines
import Serving
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite("Pipelines of models")
struct PipelineTests {
  private let pictures: DigitsTestSplit

  init() throws { pictures = try DigitsTestSplit() }

  private func input(_ rows: Range<Int>) -> NamedTensor {
    NamedTensor(
      name: "image", dataType: .int8, shape: Shape([rows.count, 8, 8, 1]),
      bytes: rows.flatMap { pictures.images[$0] })
  }

  /// What the classifier makes of rows: real scores, `[row][class]`.
  private func scores(_ fixture: PipelineFixture, _ model: String, _ rows: Range<Int>) throws -> [[Float]] {
    let response = try fixture.infer(model, [input(rows)])
    let floats = response.outputs[0].floats
    let isCode = response.outputs[0].dataType == .int8
    return rows.indices.map { row in
      let first = (row - rows.lowerBound) * 10
      return floats[first..<first + 10].map { isCode ? ($0 + 128) / 256 : $0 }
    }
  }

  @Test("rank the scores of a model, with every row of a request")
  func top() throws {
    let fixture = PipelineFixture()
    defer { fixture.close() }
    try fixture.load("digits", 2, Fixtures.digitsModel(2))
    fixture.pipelines.change([
      "ranked": PipelineDeclaration(steps: [.model("digits"), .top(TopStep(count: 3))])
    ])
    let response = try fixture.infer("ranked", [input(0..<5)])
    #expect(response.outputs.map(\.name) == ["classes", "scores"])
    #expect(response.outputs.map(\.shape) == [Shape([5, 3]), Shape([5, 3])])
    #expect(response.pinned == [PinnedVersion(model: "digits", version: 2)])
    let expected = try scores(fixture, "digits", 0..<5)
    for row in 0..<5 {
      let order = (0..<10).sorted { (-expected[row][$0], $0) < (-expected[row][$1], $1) }
      #expect(
        Array(response.outputs[0].strings[row * 3..<row * 3 + 3]) == order.prefix(3).map(String.init))
      #expect(
        Array(response.outputs[1].floats[row * 3..<row * 3 + 3])
          == order.prefix(3).map { expected[row][$0] })
    }
    let one = try fixture.infer("ranked", [input(0..<1)], outputs: ["scores"])
    #expect(one.outputs.map(\.name) == ["scores"])
    #expect(throws: ServingError.unknownOutput(name: "probabilities")) {
      try fixture.infer("ranked", [input(0..<1)], outputs: ["probabilities"])
    }
    #expect(throws: ServingError.missingInput(name: "image")) { try fixture.infer("ranked", []) }
  }

  @Test("ask another model for the rows that a switch picks, with what the first was given")
  func choose() throws {
    let fixture = PipelineFixture()
    defer { fixture.close() }
    try fixture.load("small", 1, Fixtures.digitsModel(1))
    try fixture.load("large", 7, Fixtures.floatDigitsModel)
    let unsure = SwitchStep(cases: [
      .init(label: "1"), .init(scoreBelow: 0.8, model: "large"),
    ])
    fixture.pipelines.change([
      "cascade": PipelineDeclaration(
        steps: [.model("small"), .top(TopStep(count: 2)), .choose(unsure)])
    ])
    let rows = 0..<64
    let response = try fixture.infer("cascade", [input(rows)])
    #expect(response.outputs.map(\.name) == ["classes", "scores", "model"])
    #expect(Set(response.pinned.map(\.text)) == ["small@1", "large@7"])
    let small = try scores(fixture, "small", rows)
    // The float model takes what the codes stand for.
    let real = input(rows).floats.map { ($0 + 128) / 255 }
    let large = try fixture.infer(
      "large",
      [
        NamedTensor(
          name: "image", dataType: .float32, shape: Shape([rows.count, 8, 8, 1]),
          bytes: real.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) } })
      ]
    ).outputs[0].floats
    var asked = 0
    for row in rows {
      let best = try #require((0..<10).max { (small[row][$0], -$0) < (small[row][$1], -$1) })
      let goes = best != 1 && small[row][best] < 0.8
      asked += goes ? 1 : 0
      #expect(response.outputs[2].strings[row] == (goes ? "large" : "small"))
      let expected = goes ? Array(large[row * 10..<row * 10 + 10]) : small[row]
      #expect(abs(response.outputs[1].floats[row * 2] - (expected.max() ?? 0)) < 1e-5)
    }
    #expect(asked > 0 && asked < rows.count)
    // Of rows that all stop, nobody else is asked.
    let certain = try #require(rows.first { (small[$0].max() ?? 0) >= 0.8 })
    let one = try fixture.infer("cascade", [input(certain..<certain + 1)])
    #expect(one.pinned.map(\.text) == ["small@1"])
  }

  @Test("are refused when models do not fit, with what is offered and what is taken")
  func misfits() throws {
    let fixture = PipelineFixture()
    defer { fixture.close() }
    try fixture.load("digits", 2, Fixtures.digitsModel(2))
    try fixture.load("half", 123, Fixtures.halfPlusTwoModel)
    let label = SwitchStep(cases: [.init(label: "eleven", model: "digits")])
    fixture.pipelines.change([
      "chain": PipelineDeclaration(steps: [.model("digits"), .model("half")]),
      "many": PipelineDeclaration(steps: [.model("digits"), .top(TopStep(count: 11))]),
      "unknown": PipelineDeclaration(
        steps: [.model("digits"), .top(TopStep(count: 1)), .choose(label)]),
      "output": PipelineDeclaration(
        steps: [.model("digits"), .top(TopStep(count: 1, output: "logits"))]),
      "flat": PipelineDeclaration(steps: [.image(ImageStep()), .model("half")]),
      "waits": PipelineDeclaration(steps: [.model("absent")]),
    ])
    #expect(
      fixture.misfit("chain")
        == "Step 2: the model half takes float32 [1]; what comes is int8 [1, 10].")
    #expect(fixture.misfit("many") == "Step 2: the 11 best classes are wanted; digits has 10.")
    #expect(fixture.misfit("unknown") == "Step 3: \"eleven\" is no label of digits.")
    #expect(
      fixture.misfit("output")
        == "Step 2: there is no output \"logits\"; there is probabilities.")
    #expect(
      fixture.misfit("flat")
        == "Step 1: the model half takes float32 [1]; a picture is [1, height, width, channels] with "
        + "1 or 3 channels.")
    #expect(throws: ServingError.notReady(model: "absent")) { try fixture.lease("waits") }
    let status = try fixture.manager.service.statuses(of: "many")
    #expect(status.map(\.state) == [.refused])
    #expect(status[0].cause?.code == "misfit")
    #expect(!fixture.manager.service.isReady())
  }

  @Test("have the one version 1, and no labels")
  func versions() throws {
    let fixture = PipelineFixture()
    defer { fixture.close() }
    try fixture.load("digits", 2, Fixtures.digitsModel(2))
    fixture.pipelines.change(["p": PipelineDeclaration(steps: [.model("digits")])])
    let lease = try fixture.lease("p")
    #expect(lease.description.platform == "edgeserve_pipeline")
    #expect(lease.description.version == 1)
    // Without anything of its own it answers as its model does.
    let response = try fixture.infer("p", [input(0..<3)])
    let direct = try fixture.infer("digits", [input(0..<3)])
    #expect(response.outputs == direct.outputs)
    #expect(try fixture.manager.service.statuses(of: "p").map(\.requests) == [1])
    let outcome = Shared<Result<VersionLease, ServingError>?>(nil)
    fixture.manager.service.lease("p", .version(2)) { outcome.value = $0 }
    #expect(throws: ServingError.versionNotFound(model: "p", version: 2)) {
      try outcome.wait().get()
    }
  }

  @Test("answer every request with one version of each model while these are swapped")
  func swaps() throws {
    let fixture = PipelineFixture()
    defer { fixture.close() }
    try fixture.load("digits", 1, Fixtures.digitsModel(1))
    try fixture.load("float", 1, Fixtures.floatDigitsModel)
    // All rows are asked twice of the model that is swapped, through another between.
    let all = SwitchStep(cases: [.init(model: "float")])
    let back = SwitchStep(cases: [.init(model: "digits")])
    fixture.pipelines.change([
      "twice": PipelineDeclaration(
        steps: [
          .model("digits"), .top(TopStep(count: 10)), .choose(all), .choose(back),
        ])
    ])
    let rows = 0..<8
    let versions: [Int64] = [1, 2]
    var expected: [Int64: [UInt8]] = [:]
    for version in versions {
      try fixture.load("digits", version, Fixtures.digitsModel(Int(version)))
      expected[version] = try fixture.infer("twice", [input(rows)]).outputs[1].bytes
    }
    #expect(expected[1] != expected[2])
    let answered = Atomic<Int>(0)
    let wrong = Atomic<Int>(0)
    let stop = Atomic<Bool>(false)
    let ended = Atomic<Int>(0)
    let known = expected
    for _ in 0..<3 {
      TestThread.start {
        while !stop.load(ordering: .relaxed) {
          guard let response = try? fixture.infer("twice", [input(rows)]),
            let version = response.pinned.first(where: { $0.model == "digits" })?.version,
            response.pinned.filter({ $0.model == "digits" }).count == 1,
            response.outputs[1].bytes == known[version]
          else {
            wrong.add(1, ordering: .relaxed)
            continue
          }
          answered.add(1, ordering: .relaxed)
        }
        ended.add(1, ordering: .relaxed)
      }
    }
    for swap in 0..<20 {
      let version = versions[swap % 2]
      try fixture.load("digits", version, Fixtures.digitsModel(Int(version)))
      let before = answered.load(ordering: .relaxed)
      while answered.load(ordering: .relaxed) < before + 3, wrong.load(ordering: .relaxed) == 0 {
        usleep(200)
      }
    }
    stop.store(true, ordering: .relaxed)
    while ended.load(ordering: .relaxed) < 3 { usleep(200) }
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(answered.load(ordering: .relaxed) >= 60)
  }

  @Test("give what they were charged back")
  func memory() throws {
    let fixture = PipelineFixture(budget: 64 << 20)
    defer { fixture.close() }
    try fixture.load("digits", 2, Fixtures.digitsModel(2))
    let before = fixture.manager.ledger.chargedBytes
    var image = ImageStep()
    image.formats = [.png]
    image.pixelsMaximum = 10_000
    fixture.pipelines.change([
      "p": PipelineDeclaration(steps: [.image(image), .model("digits")])
    ])
    let description = try fixture.lease("p").description
    #expect(description.inputs[0].type.dataType == .string)
    let held = try fixture.manager.service.statuses(of: "p")[0].memory.totalBytes
    #expect(held > 90_000)
    #expect(fixture.manager.ledger.chargedBytes == before + held)
    image.pixelsMaximum = 100 << 20
    fixture.pipelines.change([
      "p": PipelineDeclaration(steps: [.image(image), .model("digits")])
    ])
    guard case .overMemory = #expect(throws: ServingError.self, performing: { try fixture.lease("p") })
    else {
      Issue.record("more was taken than there is")
      return
    }
    fixture.pipelines.change([:])
    #expect(fixture.manager.ledger.chargedBytes == before)
  }
}
