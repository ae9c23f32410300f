import ByteParsing
import GRPC
import GRPCServices
import Serving
import TestSupport
import Testing

@Suite("Health over gRPC")
struct HealthMethodTests {
  private func ask(_ fixture: MethodFixture, _ method: String, _ service: String = "") -> GRPCReply {
    fixture.call("/grpc.health.v1.Health/" + method, message: written { $0.text(1, service) })
  }

  @Test("the agent serves when every declared model does; watchers are told of each change")
  func states() throws {
    let fixture = MethodFixture()
    fixture.manager.declare("half_plus_two")
    #expect(ask(fixture, "Check").fields.at(1)?.integer == 2)
    guard case .news(let news) = ask(fixture, "Watch", "PredictionService") else {
      Issue.record("a watch is a stream")
      return
    }
    #expect(news().map { Array($0.dropFirst(5)) } == [8, 2])
    #expect(news() == nil)
    try fixture.load("half_plus_two", 1, Fixtures.halfPlusTwoModel)
    #expect(news().map { Array($0.dropFirst(5)) } == [8, 1])
    #expect(news() == nil)
    #expect(ask(fixture, "Check", "inference.GRPCInferenceService").fields.at(1)?.integer == 1)
    let list = ask(fixture, "List").fields
    #expect(list.all(1).count == 4)
    #expect(list.all(1).allSatisfy { $0.fields.at(2, 1)?.integer == 1 })
  }

  @Test("a service that is unknown is an error to ask for, and a status to watch")
  func unknown() {
    let fixture = MethodFixture.shared
    #expect(ask(fixture, "Check", "nope").status?.code == .notFound)
    guard case .news(let news) = ask(fixture, "Watch", "nope") else {
      Issue.record("a watch is a stream")
      return
    }
    #expect(news().map { Array($0.dropFirst(5)) } == [8, 3])
  }
}
