/// A first-in, first-out queue; both ends in constant time on average.
struct FIFO<Element> {
  private var elements: [Element?] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : elements[head] }

  func contains(where isWanted: (Element) -> Bool) -> Bool {
    elements[head...].contains { $0.map(isWanted) ?? false }
  }

  mutating func append(_ element: Element) { elements.append(element) }

  /// Takes out the elements that `isGone` names, and keeps the order of the others.
  mutating func remove(where isGone: (Element) -> Bool) -> [Element] {
    var gone: [Element] = []
    var kept: [Element?] = []
    for case let element? in elements[head...] {
      if isGone(element) { gone.append(element) } else { kept.append(element) }
    }
    guard !gone.isEmpty else { return [] }
    elements = kept
    head = 0
    return gone
  }

  mutating func popLast() -> Element? {
    guard !isEmpty, let element = elements.popLast() else { return nil }
    if isEmpty {
      elements = []
      head = 0
    }
    return element
  }

  mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    let element = elements[head]
    elements[head] = nil
    head += 1
    if head * 2 >= elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }
}
