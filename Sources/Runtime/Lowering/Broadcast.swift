import KernelInterface
import Tensors

/// How two operands meet in an output, as kernel calls over `[rows, columns]` repeated over outer axes.
struct Broadcast: Sendable, Equatable {
  /// One axis of the output, and the elements from one index to the next in each operand; 0 where it is repeated.
  struct Axis: Sendable, Equatable {
    var extent: Int
    var leftStride: Int
    var rightStride: Int
  }

  /// Outermost first; neighbours that both operands pass in one stride are one axis.
  private(set) var axes: [Axis] = []
  /// How often the kernel is called: the product of all extents but the last two.
  private(set) var outerCount = 1

  /// - Precondition: the operands broadcast to `output`, which holds at least one element.
  init(left: Shape, right: Shape, output: Shape) {
    var (leftStride, rightStride) = (1, 1)
    for axis in 0..<output.rank {
      let extent = output[output.rank - 1 - axis]
      let leftExtent = axis < left.rank ? left[left.rank - 1 - axis] : 1
      let rightExtent = axis < right.rank ? right[right.rank - 1 - axis] : 1
      if extent != 1 {
        prepend(
          Axis(
            extent: extent, leftStride: leftExtent == 1 ? 0 : leftStride,
            rightStride: rightExtent == 1 ? 0 : rightStride))
      }
      leftStride *= leftExtent
      rightStride *= rightExtent
    }
    outerCount = axes.dropLast(2).reduce(1) { $0 * $1.extent }
  }

  private mutating func prepend(_ axis: Axis) {
    if let inner = axes.first, axis.leftStride == inner.leftStride * inner.extent,
      axis.rightStride == inner.rightStride * inner.extent
    {
      axes[0].extent *= axis.extent
    } else {
      axes.insert(axis, at: 0)
    }
  }

  var columns: Axis {
    axes.isEmpty ? Axis(extent: 1, leftStride: 1, rightStride: 1) : axes[axes.count - 1]
  }
  var rows: Axis {
    axes.count > 1 ? axes[axes.count - 2] : Axis(extent: 1, leftStride: 0, rightStride: 0)
  }
  var leftStrides: OperandStrides {
    OperandStrides(row: rows.leftStride, column: columns.leftStride)
  }
  var rightStrides: OperandStrides {
    OperandStrides(row: rows.rightStride, column: columns.rightStride)
  }

  /// Where the operands of one outer index begin, in elements.
  func offsets(ofOuter index: Int) -> (left: Int, right: Int) {
    var (index, left, right) = (index, 0, 0)
    var axis = axes.count - 3
    while axis >= 0 {
      left += index % axes[axis].extent * axes[axis].leftStride
      right += index % axes[axis].extent * axes[axis].rightStride
      index /= axes[axis].extent
      axis -= 1
    }
    return (left, right)
  }
}

/// A part of a broadcast that one kernel call computes.
struct BroadcastPart {
  var rows: Int
  var columns: Int
  /// Where the part begins in the left operand, the right operand and the output, in elements.
  var left: Int
  var right: Int
  var output: Int
}

extension Broadcast {
  /// Units of work: outer indices, else rows, else columns, whichever comes first with more than one.
  var units: Int {
    if outerCount > 1 { return outerCount }
    return rows.extent > 1 ? rows.extent : columns.extent
  }

  /// Calls `body` for the parts that a range of units names. Allocates nothing.
  func forEachPart(of range: Range<Int>, _ body: (BroadcastPart) -> Void) {
    guard outerCount == 1 else {
      for index in range {
        let (left, right) = offsets(ofOuter: index)
        let output = index * rows.extent * columns.extent
        body(
          BroadcastPart(
            rows: rows.extent, columns: columns.extent, left: left, right: right, output: output))
      }
      return
    }
    let (axis, step) = rows.extent > 1 ? (rows, columns.extent) : (columns, 1)
    let isRows = rows.extent > 1
    body(
      BroadcastPart(
        rows: isRows ? range.count : 1, columns: isRows ? columns.extent : range.count,
        left: range.lowerBound * axis.leftStride, right: range.lowerBound * axis.rightStride,
        output: range.lowerBound * step))
  }
}
