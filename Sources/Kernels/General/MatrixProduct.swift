import CVector
import KernelInterface
import Tensors

/// Products of matrices; `rows` counts rows of the output through all batches.
func matrixProduct(_ arguments: MatrixProductArguments, _ rows: Range<Int>) {
  let isFloat = if case .float32 = arguments.type { true } else { false }
  var row = rows.lowerBound
  while row < rows.upperBound {
    let (batch, line) = (row / arguments.rows, row % arguments.rows)
    var (rest, axis) = (batch, 7)
    var (left, right) = (line &* arguments.left.rowStride, 0)
    while axis >= 0 && rest > 0 {
      let extent = arguments.batch[axis]
      let index = rest % extent
      left &+= index &* arguments.left.batchStrides[axis]
      right &+= index &* arguments.right.batchStrides[axis]
      rest /= extent
      axis &-= 1
    }
    // Sound: the maker of the arguments vouches for the pointers and their element type.
    if isFloat {
      let remaining = min(arguments.rows &- line, rows.upperBound &- row)
      if remaining >= 4 && arguments.right.columnStride == 1 {
        unsafe productRowsFloat32(arguments, left, right, row &* arguments.columns)
        row &+= 3
      } else {
        unsafe productRowFloat32(arguments, left, right, row &* arguments.columns)
      }
    } else {
      unsafe productRowInt16(arguments, left, right, row &* arguments.columns)
    }
    row &+= 1
  }
}

// MARK: Float32

/// Four rows of the output, whose right operand has rows of neighbouring elements.
@inline(never)
@unsafe private func productRowsFloat32(
  _ arguments: MatrixProductArguments, _ left: Int, _ right: Int, _ output: Int
) {
  let a = unsafe FourRows(
    arguments.left.elements.assumingMemoryBound(to: Float.self) + left,
    rowStride: arguments.left.rowStride, step: arguments.left.columnStride)
  let b = unsafe arguments.right.elements.assumingMemoryBound(to: Float.self) + right
  let c = unsafe arguments.output.assumingMemoryBound(to: Float.self) + output
  let (bStep, columns) = (arguments.right.rowStride, arguments.columns)
  var column = 0
  // In bounds: the places of `count` columns of each row.
  while Tile.float32Rows == 8 && column &+ 32 <= columns {
    unsafe a.multiply32(b + column, bStep, arguments.depth, c + column, columns)
    column &+= 32
  }
  while column < columns {
    let count = min(16, columns &- column)
    unsafe a.multiply16(b + column, bStep, arguments.depth, c + column, columns, count)
    column &+= 16
  }
}

/// Four rows of the left operand.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct FourRows {
  private let row0: UnsafePointer<Float>
  private let row1: UnsafePointer<Float>
  private let row2: UnsafePointer<Float>
  private let row3: UnsafePointer<Float>
  private let step: Int

  @unsafe init(_ first: UnsafePointer<Float>, rowStride: Int, step: Int) {
    unsafe row0 = first
    unsafe row1 = first + rowStride
    unsafe row2 = first + 2 &* rowStride
    unsafe row3 = first + 3 &* rowStride
    self.step = step
  }

  /// 32 columns, in eight accumulators of AVX-512.
  @inline(__always)
  @unsafe func multiply32(
    _ b: UnsafePointer<Float>, _ bStep: Int, _ depth: Int, _ c: UnsafeMutablePointer<Float>,
    _ columns: Int
  ) {
    var (low0, low1, low2, low3) = (
      SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>()
    )
    var (high0, high1, high2, high3) = (low0, low1, low2, low3)
    var (k, place, offset) = (0, unsafe b, 0)
    while k < depth {
      let (low, high) = unsafe (cv_load_f32x16(place), cv_load_f32x16(place + 16))
      let (x0, x1) = unsafe (
        SIMD16(repeating: row0[offset]), SIMD16(repeating: row1[offset])
      )
      let (x2, x3) = unsafe (
        SIMD16(repeating: row2[offset]), SIMD16(repeating: row3[offset])
      )
      low0 = cv_multiply_add_x16(low0, x0, low)
      low1 = cv_multiply_add_x16(low1, x1, low)
      low2 = cv_multiply_add_x16(low2, x2, low)
      low3 = cv_multiply_add_x16(low3, x3, low)
      high0 = cv_multiply_add_x16(high0, x0, high)
      high1 = cv_multiply_add_x16(high1, x1, high)
      high2 = cv_multiply_add_x16(high2, x2, high)
      high3 = cv_multiply_add_x16(high3, x3, high)
      unsafe place += bStep
      offset &+= step
      k &+= 1
    }
    unsafe store(c, columns, 16, (low0, low1, low2, low3))
    unsafe store(c + 16, columns, 16, (high0, high1, high2, high3))
  }

  /// The first `count` (1 … 16) columns.
  @inline(__always)
  @unsafe func multiply16(
    _ b: UnsafePointer<Float>, _ bStep: Int, _ depth: Int, _ c: UnsafeMutablePointer<Float>,
    _ columns: Int, _ count: Int
  ) {
    var (sum0, sum1, sum2, sum3) = (
      SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>()
    )
    var (k, place, offset) = (0, unsafe b, 0)
    while k < depth {
      let weights = unsafe loadFloat32x16(place, count)
      sum0 = unsafe cv_multiply_add_x16(sum0, SIMD16(repeating: row0[offset]), weights)
      sum1 = unsafe cv_multiply_add_x16(sum1, SIMD16(repeating: row1[offset]), weights)
      sum2 = unsafe cv_multiply_add_x16(sum2, SIMD16(repeating: row2[offset]), weights)
      sum3 = unsafe cv_multiply_add_x16(sum3, SIMD16(repeating: row3[offset]), weights)
      unsafe place += bStep
      offset &+= step
      k &+= 1
    }
    unsafe store(c, columns, count, (sum0, sum1, sum2, sum3))
  }

  @inline(__always)
  @unsafe private func store(
    _ c: UnsafeMutablePointer<Float>, _ columns: Int, _ count: Int,
    _ sums: (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>)
  ) {
    unsafe storeFloat32(c, sums.0, count)
    unsafe storeFloat32(c + columns, sums.1, count)
    unsafe storeFloat32(c + 2 &* columns, sums.2, count)
    unsafe storeFloat32(c + 3 &* columns, sums.3, count)
  }
}

/// One row of the output; `left`, `right` and `output` are where its elements begin.
@inline(__always)
@unsafe private func productRowFloat32(
  _ arguments: MatrixProductArguments, _ left: Int, _ right: Int, _ output: Int
) {
  let a = unsafe arguments.left.elements.assumingMemoryBound(to: Float.self) + left
  let b = unsafe arguments.right.elements.assumingMemoryBound(to: Float.self) + right
  let c = unsafe arguments.output.assumingMemoryBound(to: Float.self) + output
  let (aStep, bStep) = (arguments.left.columnStride, arguments.right.rowStride)
  let (columnStep, depth) = (arguments.right.columnStride, arguments.depth)
  var column = 0
  if columnStep == 1 {
    while column &+ 32 <= arguments.columns {
      unsafe columns32(a, aStep, b + column, bStep, depth, c + column)
      column &+= 32
    }
    while column < arguments.columns {
      let count = min(8, arguments.columns &- column)
      unsafe columns8(a, aStep, b + column, bStep, depth, c + column, count)
      column &+= 8
    }
  } else if aStep == 1 && bStep == 1 {
    while column < arguments.columns {
      unsafe c[column] = dotFloat32(a, b + column &* columnStep, depth)
      column &+= 1
    }
  } else {
    while column < arguments.columns {
      let place = unsafe b + column &* columnStep
      var (sum, k) = (Float(0), 0)
      while k < depth {
        unsafe sum += a[k &* aStep] * place[k &* bStep]
        k &+= 1
      }
      unsafe c[column] = sum
      column &+= 1
    }
  }
}

/// 32 columns of one row.
@inline(__always)
@unsafe private func columns32(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int, _ depth: Int,
  _ c: UnsafeMutablePointer<Float>
) {
  var (sum0, sum1) = (SIMD8<Float>(repeating: 0), SIMD8<Float>(repeating: 0))
  var (sum2, sum3) = (sum0, sum1)
  var (k, place) = (0, unsafe b)
  while k < depth {
    let value = unsafe SIMD8<Float>(repeating: a[k &* aStep])
    sum0 = unsafe cv_multiply_add(sum0, value, cv_load_f32x8(place))
    sum1 = unsafe cv_multiply_add(sum1, value, cv_load_f32x8(place + 8))
    sum2 = unsafe cv_multiply_add(sum2, value, cv_load_f32x8(place + 16))
    sum3 = unsafe cv_multiply_add(sum3, value, cv_load_f32x8(place + 24))
    unsafe place += bStep
    k &+= 1
  }
  unsafe cv_store_f32x8(c, sum0)
  unsafe cv_store_f32x8(c + 8, sum1)
  unsafe cv_store_f32x8(c + 16, sum2)
  unsafe cv_store_f32x8(c + 24, sum3)
}

/// The first `count` (1 … 8) columns of one row.
@inline(__always)
@unsafe private func columns8(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int, _ depth: Int,
  _ c: UnsafeMutablePointer<Float>, _ count: Int
) {
  var sum = SIMD8<Float>(repeating: 0)
  var (k, place) = (0, unsafe b)
  while k < depth {
    let value = unsafe SIMD8<Float>(repeating: a[k &* aStep])
    sum = unsafe cv_multiply_add(sum, value, loadFloat32(place, count))
    unsafe place += bStep
    k &+= 1
  }
  unsafe storeFloat32(c, sum, count)
}

// MARK: Int16

/// One row of the output, whose sums take 64 bits; zero points are 0.
@inline(__always)
@unsafe private func productRowInt16(
  _ arguments: MatrixProductArguments, _ left: Int, _ right: Int, _ output: Int
) {
  let a = unsafe arguments.left.elements.assumingMemoryBound(to: Int16.self) + left
  let b = unsafe arguments.right.elements.assumingMemoryBound(to: Int16.self) + right
  let c = unsafe arguments.output.assumingMemoryBound(to: Int16.self) + output
  let (aStep, bStep) = (arguments.left.columnStride, arguments.right.rowStride)
  let (multiplier, shift) = (
    Int64(arguments.scale.multiplier), Int64(arguments.scale.shift)
  )
  let half: Int64 = 1 &<< (shift &- 1)
  var column = 0
  while column < arguments.columns {
    let place = unsafe b + column &* arguments.right.columnStride
    var (sum, k) = (Int64(0), 0)
    while k < arguments.depth {
      unsafe sum &+= Int64(Int32(a[k &* aStep]) &* Int32(place[k &* bStep]))
      k &+= 1
    }
    unsafe c[column] = clampedInt16((sum &* multiplier &+ half) &>> shift, .min, .max)
    column &+= 1
  }
}
