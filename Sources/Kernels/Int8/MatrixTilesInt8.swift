import CVector

/// What the tiles of one panel have in common.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct PanelInt8<Epilogue: EpilogueInt8> {
  /// The panel's header; its weights follow at `weights`.
  let header: UnsafeRawPointer
  let weights: UnsafePointer<Int8>
  /// Multiples of `Tile.depthGroup` in the depth.
  let groups: Int
  /// Activations from one packed row to the next.
  let rowStride: Int
  /// The first output channel.
  let channel: Int
  /// Output channels of this panel, 1 … 16.
  let count: Int
  let epilogue: Epilogue
}

extension PanelInt8 {
  /// Up to four packed rows × 16 channels: `accumulator[r][c] = Σ activation[r][k] · weight[k][c]`.
  ///
  /// Bound: eight multiplies a step of `depthGroup` (AVX2 `vpmaddwd`: 128 products in 4 cycles at two a cycle), with two
  /// weight loads and four broadcasts beside them.
  /// - Precondition: `rows` is 1 … 4; rows beyond it repeat the last and are not written.
  @inline(never)
  @unsafe func tile4(_ activations: UnsafePointer<cv_activation>, rows: Int, firstRow: Int) {
    var a0 = unsafe activations
    var a1 = unsafe a0 + (rows > 1 ? rowStride : 0)
    var a2 = unsafe a1 + (rows > 2 ? rowStride : 0)
    var a3 = unsafe a2 + (rows > 3 ? rowStride : 0)
    var w = unsafe weights
    var (sum00, sum01) = (SIMD8<Int32>(), SIMD8<Int32>())
    var (sum10, sum11) = (SIMD8<Int32>(), SIMD8<Int32>())
    var (sum20, sum21) = (SIMD8<Int32>(), SIMD8<Int32>())
    var (sum30, sum31) = (SIMD8<Int32>(), SIMD8<Int32>())
    let group = Tile.depthGroup
    var remaining = groups
    // In bounds: the panel holds `groups · 16` weight groups, each packed row `groups` activation groups.
    while remaining > 0 {
      let w0 = unsafe cv_load_weights(w)
      let w1 = unsafe cv_load_weights(w + 8 &* group)
      let x0 = unsafe cv_load_activations(a0)
      sum00 = cv_dot(sum00, w0, x0)
      sum01 = cv_dot(sum01, w1, x0)
      let x1 = unsafe cv_load_activations(a1)
      sum10 = cv_dot(sum10, w0, x1)
      sum11 = cv_dot(sum11, w1, x1)
      let x2 = unsafe cv_load_activations(a2)
      sum20 = cv_dot(sum20, w0, x2)
      sum21 = cv_dot(sum21, w1, x2)
      let x3 = unsafe cv_load_activations(a3)
      sum30 = cv_dot(sum30, w0, x3)
      sum31 = cv_dot(sum31, w1, x3)
      unsafe w += 16 &* group
      unsafe a0 += group
      unsafe a1 += group
      unsafe a2 += group
      unsafe a3 += group
      remaining &-= 1
    }
    unsafe store(firstRow, sum00, sum01)
    if rows > 1 { unsafe store(firstRow &+ 1, sum10, sum11) }
    if rows > 2 { unsafe store(firstRow &+ 2, sum20, sum21) }
    if rows > 3 { unsafe store(firstRow &+ 3, sum30, sum31) }
  }

  /// Up to two packed rows × 16 channels, as `tile4`.
  /// - Precondition: `rows` is 1 or 2.
  @inline(never)
  @unsafe func tile2(_ activations: UnsafePointer<cv_activation>, rows: Int, firstRow: Int) {
    var a0 = unsafe activations
    var a1 = unsafe a0 + (rows > 1 ? rowStride : 0)
    var w = unsafe weights
    var (sum00, sum01) = (SIMD8<Int32>(), SIMD8<Int32>())
    var (sum10, sum11) = (SIMD8<Int32>(), SIMD8<Int32>())
    let group = Tile.depthGroup
    var remaining = groups
    // In bounds: as in `tile4`.
    while remaining > 0 {
      let w0 = unsafe cv_load_weights(w)
      let w1 = unsafe cv_load_weights(w + 8 &* group)
      let x0 = unsafe cv_load_activations(a0)
      sum00 = cv_dot(sum00, w0, x0)
      sum01 = cv_dot(sum01, w1, x0)
      let x1 = unsafe cv_load_activations(a1)
      sum10 = cv_dot(sum10, w0, x1)
      sum11 = cv_dot(sum11, w1, x1)
      unsafe w += 16 &* group
      unsafe a0 += group
      unsafe a1 += group
      remaining &-= 1
    }
    unsafe store(firstRow, sum00, sum01)
    if rows > 1 { unsafe store(firstRow &+ 1, sum10, sum11) }
  }

  /// One packed row × 16 channels: a fully connected layer of one sample, bound by reading the weights.
  @inline(never)
  @unsafe func tile1(_ activations: UnsafePointer<cv_activation>, firstRow: Int) {
    var a0 = unsafe activations
    var w = unsafe weights
    var (sum0, sum1) = (SIMD8<Int32>(), SIMD8<Int32>())
    let group = Tile.depthGroup
    var remaining = groups
    // In bounds: as in `tile4`.
    while remaining > 0 {
      let x0 = unsafe cv_load_activations(a0)
      unsafe sum0 = cv_dot(sum0, cv_load_weights(w), x0)
      unsafe sum1 = cv_dot(sum1, cv_load_weights(w + 8 &* group), x0)
      unsafe w += 16 &* group
      unsafe a0 += group
      remaining &-= 1
    }
    unsafe store(firstRow, sum0, sum1)
  }

  @inline(__always)
  @unsafe private func store(_ row: Int, _ low: SIMD8<Int32>, _ high: SIMD8<Int32>) {
    unsafe epilogue.store(
      row: row, channel: channel, count: count, low: low, high: high, header: header)
  }
}
