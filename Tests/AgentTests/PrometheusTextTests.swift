import Testing

@testable import Agent

@Suite("Prometheus text")
struct PrometheusTextTests {
  @Test("escapes labels, and writes whole numbers without a fraction")
  func format() {
    var text = PrometheusText()
    text.family("a_total", .counter, "Things.")
    text.sample("a_total", [("name", "a\"b\\c\nd"), ("kind", "x")], 3.0)
    text.sample("a_total", [], 0.25)
    #expect(
      String(decoding: text.bytes, as: UTF8.self) == """
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{name="a\\"b\\\\c\\nd",kind="x"} 3
        a_total 0.25

        """)
  }
}
