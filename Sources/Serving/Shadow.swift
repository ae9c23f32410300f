import Synchronization
import Tensors

/// A version that is asked a share of what others answer, and whose own answers nobody gets.
package struct Shadow: Sendable, Equatable {
  package var version: Int64
  /// Of ten thousand requests that name no version.
  package var share: Int
  /// By how much a number of its answers may be off and still agree.
  package var tolerance = 0.0

  /// The share that is all requests.
  package static let shareWhole = 10_000

  package init(version: Int64, share: Int, tolerance: Double = 0) {
    self.version = version
    self.share = share
    self.tolerance = tolerance
  }
}

/// How the answers of a shadow compare with those that clients got.
package struct ShadowStatus: Sendable, Equatable {
  package var shadow: Shadow
  /// Requests whose answers agree, and those of which some number does not.
  package var agreed: UInt64 = 0
  package var differed: UInt64 = 0
  /// Of those that differ, the ones whose greatest number is another.
  package var changedClass: UInt64 = 0
  /// Requests that the shadow cannot answer.
  package var failed: UInt64 = 0
  /// Requests that were of the share, and not run since something else had to be.
  package var shed: UInt64 = 0
  /// The most that a number was off.
  package var largestDifference = 0.0
}

/// A shadow that is under way.
final class RunningShadow: Sendable {
  let shadow: Shadow
  private let counts: Mutex<ShadowStatus>
  private let seen = Atomic<UInt64>(0)
  private let isBusy = Atomic<Bool>(false)

  init(_ shadow: Shadow) {
    self.shadow = shadow
    counts = Mutex(ShadowStatus(shadow: shadow))
  }

  var status: ShadowStatus { counts.withLock { $0 } }

  /// Whether the next request is of the share, which is spread evenly.
  func takesNext() -> Bool {
    let number = seen.add(1, ordering: .relaxed).newValue
    let (share, whole) = (UInt64(shadow.share), UInt64(Shadow.shareWhole))
    return number &* share / whole != (number &- 1) &* share / whole
  }

  /// Takes the one place there is; false when a request is under way.
  func begin() -> Bool { !isBusy.exchange(true, ordering: .acquiring) }

  func end() { isBusy.store(false, ordering: .releasing) }

  func countShed() { counts.withLock { $0.shed += 1 } }

  func countFailed() { counts.withLock { $0.failed += 1 } }

  func count(_ comparison: AnswerComparison) {
    counts.withLock { status in
      if comparison.agrees { status.agreed += 1 } else { status.differed += 1 }
      if comparison.changesClass { status.changedClass += 1 }
      status.largestDifference = max(status.largestDifference, comparison.largestDifference)
    }
  }
}

/// Two answers to one request, number by number.
struct AnswerComparison {
  var agrees = true
  /// Whether in some row another number is the greatest.
  var changesClass = false
  var largestDifference = 0.0

  /// - Parameter tolerance: by how much numbers may be off.
  init(_ answer: [NamedTensor], _ other: [NamedTensor], tolerance: Double) {
    for tensor in answer {
      guard let twin = other.first(where: { $0.name == tensor.name }),
        twin.dataType == tensor.dataType, twin.shape == tensor.shape,
        twin.bytes.count == tensor.bytes.count
      else {
        agrees = false
        continue
      }
      compare(tensor, twin, tolerance)
    }
  }

  private mutating func compare(_ tensor: NamedTensor, _ twin: NamedTensor, _ tolerance: Double) {
    let (numbers, others) = (tensor.numbers, twin.numbers)
    for (number, other) in zip(numbers, others) where number != other {
      if number.isNaN && other.isNaN { continue }
      let difference = abs(number - other)
      largestDifference = max(largestDifference, difference.isNaN ? .infinity : difference)
      if !(difference <= tolerance) { agrees = false }
    }
    guard tensor.shape.rank > 0, let width = tensor.shape.extents.last, width > 1 else { return }
    for start in stride(from: 0, to: numbers.count, by: width) {
      let row = start..<min(start + width, numbers.count)
      if Self.greatest(numbers[row]) != Self.greatest(others[row]) { changesClass = true }
    }
  }

  private static func greatest(_ row: ArraySlice<Double>) -> Int? {
    row.indices.max { row[$0] < row[$1] }
  }
}

extension NamedTensor {
  /// Every element, exact for types up to 53 bits.
  fileprivate var numbers: [Double] {
    let width = max(1, dataType.bitWidth / 8)
    return stride(from: 0, through: bytes.count - width, by: width).map {
      GoldenProof.number(bytes, $0, dataType)
    }
  }
}
