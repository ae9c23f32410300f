import CVector

/// What the float32 tiles of one panel have in common.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct PanelFloat32 {
  /// 16 biases, then depth × 16 weights.
  let header: UnsafePointer<Float>
  /// Rows of a window; their addresses lie `Tile.rowBlock` apart in the table that a tile is given.
  let lines: Int
  /// Elements of one row of a window; `lines · lineDepth` is the depth.
  let lineDepth: Int
  /// Output channels of this panel, 1 … 16.
  let count: Int
  let lowest: SIMD8<Float>
  let highest: SIMD8<Float>
  /// The output element of row 0 and the panel's first channel.
  let output: UnsafeMutablePointer<Float>
  let outputRowStride: Int
}

extension PanelFloat32 {
  /// Up to six rows × 16 channels: `accumulator[r][c] = Σ activation[r][k] · weight[k][c]`.
  ///
  /// Bound: twelve multiply-adds a step at two a cycle; two loads and six broadcasts go beside them.
  /// - Precondition: `rows` is 1 … 6; the table has addresses for rows beyond it, which are not written.
  @inline(never)
  @unsafe func tile6(
    _ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int
  ) {
    var w = unsafe header + Tile.channels
    var (sum00, sum01) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum10, sum11) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum20, sum21) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum30, sum31) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum40, sum41) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum50, sum51) = (SIMD8<Float>(), SIMD8<Float>())
    var row = unsafe table
    var line = 0
    // In bounds: each row of a window has `lineDepth` elements, the panel `lines` times as many steps.
    while line < lines {
      let a0 = unsafe row[0]
      let a1 = unsafe row[1]
      let a2 = unsafe row[2]
      let a3 = unsafe row[3]
      let a4 = unsafe row[4]
      let a5 = unsafe row[5]
      var k = 0
      while k < lineDepth {
        let w0 = unsafe cv_load_f32x8(w)
        let w1 = unsafe cv_load_f32x8(w + 8)
        let x0 = unsafe SIMD8(repeating: a0[k])
        sum00 = cv_multiply_add(sum00, x0, w0)
        sum01 = cv_multiply_add(sum01, x0, w1)
        let x1 = unsafe SIMD8(repeating: a1[k])
        sum10 = cv_multiply_add(sum10, x1, w0)
        sum11 = cv_multiply_add(sum11, x1, w1)
        let x2 = unsafe SIMD8(repeating: a2[k])
        sum20 = cv_multiply_add(sum20, x2, w0)
        sum21 = cv_multiply_add(sum21, x2, w1)
        let x3 = unsafe SIMD8(repeating: a3[k])
        sum30 = cv_multiply_add(sum30, x3, w0)
        sum31 = cv_multiply_add(sum31, x3, w1)
        let x4 = unsafe SIMD8(repeating: a4[k])
        sum40 = cv_multiply_add(sum40, x4, w0)
        sum41 = cv_multiply_add(sum41, x4, w1)
        let x5 = unsafe SIMD8(repeating: a5[k])
        sum50 = cv_multiply_add(sum50, x5, w0)
        sum51 = cv_multiply_add(sum51, x5, w1)
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe store(firstRow, sum00, sum01)
    if rows > 1 { unsafe store(firstRow &+ 1, sum10, sum11) }
    if rows > 2 { unsafe store(firstRow &+ 2, sum20, sum21) }
    if rows > 3 { unsafe store(firstRow &+ 3, sum30, sum31) }
    if rows > 4 { unsafe store(firstRow &+ 4, sum40, sum41) }
    if rows > 5 { unsafe store(firstRow &+ 5, sum50, sum51) }
  }

  /// Up to four rows × 16 channels, as `tile6`.
  /// - Precondition: `rows` is 1 … 4.
  @inline(never)
  @unsafe func tile4(
    _ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int
  ) {
    var w = unsafe header + Tile.channels
    var (sum00, sum01) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum10, sum11) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum20, sum21) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum30, sum31) = (SIMD8<Float>(), SIMD8<Float>())
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile6`.
    while line < lines {
      let a0 = unsafe row[0]
      let a1 = unsafe row[1]
      let a2 = unsafe row[2]
      let a3 = unsafe row[3]
      var k = 0
      while k < lineDepth {
        let w0 = unsafe cv_load_f32x8(w)
        let w1 = unsafe cv_load_f32x8(w + 8)
        let x0 = unsafe SIMD8(repeating: a0[k])
        sum00 = cv_multiply_add(sum00, x0, w0)
        sum01 = cv_multiply_add(sum01, x0, w1)
        let x1 = unsafe SIMD8(repeating: a1[k])
        sum10 = cv_multiply_add(sum10, x1, w0)
        sum11 = cv_multiply_add(sum11, x1, w1)
        let x2 = unsafe SIMD8(repeating: a2[k])
        sum20 = cv_multiply_add(sum20, x2, w0)
        sum21 = cv_multiply_add(sum21, x2, w1)
        let x3 = unsafe SIMD8(repeating: a3[k])
        sum30 = cv_multiply_add(sum30, x3, w0)
        sum31 = cv_multiply_add(sum31, x3, w1)
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe store(firstRow, sum00, sum01)
    if rows > 1 { unsafe store(firstRow &+ 1, sum10, sum11) }
    if rows > 2 { unsafe store(firstRow &+ 2, sum20, sum21) }
    if rows > 3 { unsafe store(firstRow &+ 3, sum30, sum31) }
  }

  /// Two rows × 16 channels, as `tile6`.
  @inline(never)
  @unsafe func tile2(_ table: UnsafePointer<UnsafePointer<Float>>, firstRow: Int) {
    var w = unsafe header + Tile.channels
    var (sum00, sum01) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum10, sum11) = (SIMD8<Float>(), SIMD8<Float>())
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile6`.
    while line < lines {
      let a0 = unsafe row[0]
      let a1 = unsafe row[1]
      var k = 0
      while k < lineDepth {
        let w0 = unsafe cv_load_f32x8(w)
        let w1 = unsafe cv_load_f32x8(w + 8)
        let x0 = unsafe SIMD8(repeating: a0[k])
        sum00 = cv_multiply_add(sum00, x0, w0)
        sum01 = cv_multiply_add(sum01, x0, w1)
        let x1 = unsafe SIMD8(repeating: a1[k])
        sum10 = cv_multiply_add(sum10, x1, w0)
        sum11 = cv_multiply_add(sum11, x1, w1)
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe store(firstRow, sum00, sum01)
    unsafe store(firstRow &+ 1, sum10, sum11)
  }

  /// One row × 16 channels, bound by reading the weights; three steps at once hide the multiply-add's latency.
  @inline(never)
  @unsafe func tile1(_ table: UnsafePointer<UnsafePointer<Float>>, firstRow: Int) {
    var w = unsafe header + Tile.channels
    var (sum00, sum01) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum10, sum11) = (SIMD8<Float>(), SIMD8<Float>())
    var (sum20, sum21) = (SIMD8<Float>(), SIMD8<Float>())
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile6`.
    while line < lines {
      let activations = unsafe row.pointee
      var k = 0
      while k &+ 3 <= lineDepth {
        let x0 = unsafe SIMD8(repeating: activations[k])
        sum00 = unsafe cv_multiply_add(sum00, x0, cv_load_f32x8(w))
        sum01 = unsafe cv_multiply_add(sum01, x0, cv_load_f32x8(w + 8))
        let x1 = unsafe SIMD8(repeating: activations[k &+ 1])
        sum10 = unsafe cv_multiply_add(sum10, x1, cv_load_f32x8(w + 16))
        sum11 = unsafe cv_multiply_add(sum11, x1, cv_load_f32x8(w + 24))
        let x2 = unsafe SIMD8(repeating: activations[k &+ 2])
        sum20 = unsafe cv_multiply_add(sum20, x2, cv_load_f32x8(w + 32))
        sum21 = unsafe cv_multiply_add(sum21, x2, cv_load_f32x8(w + 40))
        unsafe w += 3 &* Tile.channels
        k &+= 3
      }
      while k < lineDepth {
        let x0 = unsafe SIMD8(repeating: activations[k])
        sum00 = unsafe cv_multiply_add(sum00, x0, cv_load_f32x8(w))
        sum01 = unsafe cv_multiply_add(sum01, x0, cv_load_f32x8(w + 8))
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe store(firstRow, sum00 + sum10 + sum20, sum01 + sum11 + sum21)
  }

  /// Adds the bias, clamps and writes 16 accumulators of one row.
  @inline(__always)
  @unsafe private func store(_ row: Int, _ low: SIMD8<Float>, _ high: SIMD8<Float>) {
    let first = unsafe cv_clamp_keeping_nan(low + cv_load_f32x8(header), lowest, highest)
    let second = unsafe cv_clamp_keeping_nan(high + cv_load_f32x8(header + 8), lowest, highest)
    unsafe storeFloat32(output + row &* outputRowStride, first, second, count)
  }
}
