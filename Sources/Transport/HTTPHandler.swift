/// Answers requests; called on the event-loop thread, which it must not hold for long.
///
/// The responder is called exactly once, from any thread; a responder that is dropped uncalled
/// answers 500.
package typealias HTTPHandler =
  @Sendable (HTTPRequest, _ respond: @escaping @Sendable (HTTPResponse) -> Void) -> Void
