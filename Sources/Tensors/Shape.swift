/// The extents of a tensor, outermost first; rank 0 is a scalar.
///
/// A *signature* shape may hold −1 where an extent is free; every shape that reaches planning is concrete.
package struct Shape: Sendable, Equatable, Hashable {
  /// The highest rank accepted anywhere.
  package static let rankMaximum = 8

  package var extents: [Int]

  package init(_ extents: [Int]) { self.extents = extents }

  package var rank: Int { extents.count }

  package subscript(axis: Int) -> Int { extents[axis] }

  package var isConcrete: Bool { extents.allSatisfy { $0 >= 0 } }

  /// The number of elements; nil when an extent is free or the product overflows.
  package var elementCount: Int? {
    var count = 1
    for extent in extents {
      guard extent >= 0 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      count = product
    }
    return count
  }
}

extension Shape: ExpressibleByArrayLiteral {
  package init(arrayLiteral elements: Int...) { self.init(elements) }
}
