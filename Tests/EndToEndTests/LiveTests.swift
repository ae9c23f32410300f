import Testing

@testable import Agent
@testable import edgeserve

@Suite("Live view")
struct LiveTests {
  private static func metrics(_ answered: Int, _ failed: Int, _ seconds: Double) -> [UInt8] {
    Array(
      """
      # HELP edgeserve_requests_total Requests by how they ended.
      # TYPE edgeserve_requests_total counter
      edgeserve_requests_total{model="digits",version="1",outcome="ok"} \(answered / 2)
      edgeserve_requests_total{model="digits",version="2",outcome="ok"} \(answered - answered / 2)
      edgeserve_requests_total{model="digits",version="2",outcome="invalid"} \(failed)
      edgeserve_requests_total{model="",version="",outcome="rate_limited"} 9
      edgeserve_stage_seconds_bucket{model="digits",version="2",stage="infer",le="+Inf"} 7
      edgeserve_stage_seconds_sum{model="digits",version="2",stage="infer"} \(seconds)
      edgeserve_stage_seconds_sum{model="digits",version="2",stage="queue"} \(seconds / 2)
      edgeserve_uptime_seconds 12

      """.utf8)
  }

  @Test("counters of a model are those of its versions together")
  func counters() {
    let models = ModelCounters.read(Self.metrics(10, 3, 0.5))
    #expect(
      models == [
        "digits": ModelCounters(answered: 10, failed: 3, queueSeconds: 0.25, inferSeconds: 0.5)
      ])
    #expect(
      ModelCounters.read(Array("no metrics {at all\n{} x\na{b} 1\nc{d=\"e\"} nan".utf8)).isEmpty)
  }

  @Test("the history tells rates and means, and begins anew with the agent")
  func history() throws {
    var history = LiveHistory()
    history.append(ModelCounters.read(Self.metrics(10, 0, 1)), at: 100)
    #expect(history.looks.isEmpty)
    history.append(ModelCounters.read(Self.metrics(30, 1, 1.2)), at: 102)
    #expect(history.rates(of: "digits") == [10])
    let latency = try #require(history.latencies(of: "digits").first)
    #expect(abs(latency - 15_000) < 1)
    history.append(ModelCounters.read(Self.metrics(5, 0, 0)), at: 103)
    #expect(history.rates(of: "digits") == [10, 0])
    #expect(history.rates(of: "other") == [0, 0])
    for second in 104...300 { history.append([:], at: Double(second)) }
    #expect(history.looks.count == LiveHistory.lengthMaximum)
  }

  @Test("a line of bars reaches from nothing to the greatest")
  func sparkline() {
    #expect(Sparkline.text([0, 1, 4, 8], width: 6) == "  ▁▂▅█")
    #expect(Sparkline.text([0, 0], width: 2) == "▁▁")
    #expect(Sparkline.text([], width: 3) == "   ")
    #expect(Sparkline.text([9, 8, 1], width: 2).count == 2)
  }

  @Test("the screen's lines fit 80 columns, and top puts the busiest first")
  func lines() throws {
    var history = LiveHistory()
    let long = String(repeating: "m", count: 64)
    history.append(["digits": ModelCounters(), long: ModelCounters()], at: 1)
    history.append(
      [
        "digits": ModelCounters(
          answered: 123_456, failed: 7, queueSeconds: 0.01, inferSeconds: 0.4),
        long: ModelCounters(answered: 5, failed: 0, queueSeconds: 0, inferSeconds: 0.5),
      ], at: 2)
    let lines = LiveScreen(history: history).lines(["digits", long])
    #expect(lines.count == 4 && lines.allSatisfy { $0.count <= 80 })
    #expect(lines[2].hasPrefix("digits") && lines[2].contains("123456"))
    let version = AgentStatus.Version(
      version: 3, state: "serving", labels: [], requests: 1, errors: 0,
      latency: .init(p50: 1, p95: 1, p99: 1), memory: .init(weightsBytes: 1 << 20, arenaBytes: 0))
    let status = AgentStatus(
      agent: .init(version: "0", uptimeSeconds: 1, kernels: "avx2", board: "generic", pid: 1),
      health: .ok, problems: [],
      memory: .init(budgetBytes: nil, chargedBytes: 0, rssBytes: 0, rssAnonBytes: 0),
      models: [
        .init(name: "digits", versions: [version]), .init(name: "idle", versions: []),
        .init(name: long, versions: [version]),
      ])
    let rows = TopTable.lines(try #require(history.looks.last), status)
    #expect(rows.count == 4)
    #expect(rows[1].contains("50.0 %") && rows[2].hasPrefix("digits") && rows[2].contains("40.0 %"))
    #expect(rows[3].hasPrefix("idle"))
  }
}
