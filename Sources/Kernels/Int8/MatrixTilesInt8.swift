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

/// The accumulators of four packed rows × 16 channels.
private struct FourRowsInt8 {
  private var sum0 = SIMD16<Int32>()
  private var sum1 = SIMD16<Int32>()
  private var sum2 = SIMD16<Int32>()
  private var sum3 = SIMD16<Int32>()

  /// Adds one step of `Tile.depthGroup` of the rows at `place`, `stride` apart.
  @inline(__always)
  @unsafe mutating func add(
    _ weights: cv_weights, _ place: UnsafePointer<cv_activation>, _ stride: Int
  ) {
    sum0 = unsafe cv_dot(sum0, weights, cv_load_activations(place))
    sum1 = unsafe cv_dot(sum1, weights, cv_load_activations(place + stride))
    sum2 = unsafe cv_dot(sum2, weights, cv_load_activations(place + 2 &* stride))
    sum3 = unsafe cv_dot(sum3, weights, cv_load_activations(place + 3 &* stride))
  }

  /// Writes `rows` (at least 1) rows of them.
  @inline(__always)
  @unsafe func store<Epilogue: EpilogueInt8>(
    _ panel: PanelInt8<Epilogue>, firstRow: Int, rows: Int
  ) {
    unsafe panel.store(firstRow, sum0)
    if rows > 1 { unsafe panel.store(firstRow &+ 1, sum1) }
    if rows > 2 { unsafe panel.store(firstRow &+ 2, sum2) }
    if rows > 3 { unsafe panel.store(firstRow &+ 3, sum3) }
  }
}

extension PanelInt8 {
  /// Up to eight packed rows × 16 channels of this panel and of `next`: a tile of AVX-512.
  ///
  /// Bound: sixteen `vpdpbusd` a step of four, 1024 products in 8 cycles at two a cycle, with two loads and eight
  /// broadcasts beside them.
  /// - Precondition: `rows` is 5 … 8; rows beyond it are read and not written.
  @inline(never)
  @unsafe func tile8(
    and next: PanelInt8, _ activations: UnsafePointer<cv_activation>, rows: Int, firstRow: Int
  ) {
    var (top0, bottom0) = (FourRowsInt8(), FourRowsInt8())
    var (top1, bottom1) = (FourRowsInt8(), FourRowsInt8())
    var place = unsafe activations
    var (w0, w1) = unsafe (weights, next.weights)
    var remaining = groups
    // In bounds: the panels hold `groups · 16` weight groups, the scratch eight rows of `groups` activation groups.
    while remaining > 0 {
      let (v0, v1) = unsafe (cv_load_weights(w0), cv_load_weights(w1))
      unsafe top0.add(v0, place, rowStride)
      unsafe top1.add(v1, place, rowStride)
      unsafe bottom0.add(v0, place + 4 &* rowStride, rowStride)
      unsafe bottom1.add(v1, place + 4 &* rowStride, rowStride)
      unsafe w0 += Tile.channels &* Tile.depthGroup
      unsafe w1 += Tile.channels &* Tile.depthGroup
      unsafe place += Tile.depthGroup
      remaining &-= 1
    }
    unsafe top0.store(self, firstRow: firstRow, rows: 4)
    unsafe bottom0.store(self, firstRow: firstRow &+ 4, rows: rows &- 4)
    unsafe top1.store(next, firstRow: firstRow, rows: 4)
    unsafe bottom1.store(next, firstRow: firstRow &+ 4, rows: rows &- 4)
  }

  /// Up to eight packed rows × 16 channels, as above.
  @inline(never)
  @unsafe func tile8(_ activations: UnsafePointer<cv_activation>, rows: Int, firstRow: Int) {
    var (top, bottom) = (FourRowsInt8(), FourRowsInt8())
    var place = unsafe activations
    var w = unsafe weights
    var remaining = groups
    // In bounds: as above.
    while remaining > 0 {
      let v = unsafe cv_load_weights(w)
      unsafe top.add(v, place, rowStride)
      unsafe bottom.add(v, place + 4 &* rowStride, rowStride)
      unsafe w += Tile.channels &* Tile.depthGroup
      unsafe place += Tile.depthGroup
      remaining &-= 1
    }
    unsafe top.store(self, firstRow: firstRow, rows: 4)
    unsafe bottom.store(self, firstRow: firstRow &+ 4, rows: rows &- 4)
  }

  /// Up to four packed rows × 16 channels of this panel and of `next`, as `tile8`.
  @inline(never)
  @unsafe func tile4(
    and next: PanelInt8, _ activations: UnsafePointer<cv_activation>, rows: Int, firstRow: Int
  ) {
    var (first, second) = (FourRowsInt8(), FourRowsInt8())
    var place = unsafe activations
    var (w0, w1) = unsafe (weights, next.weights)
    var remaining = groups
    // In bounds: as in `tile8`.
    while remaining > 0 {
      unsafe first.add(cv_load_weights(w0), place, rowStride)
      unsafe second.add(cv_load_weights(w1), place, rowStride)
      unsafe w0 += Tile.channels &* Tile.depthGroup
      unsafe w1 += Tile.channels &* Tile.depthGroup
      unsafe place += Tile.depthGroup
      remaining &-= 1
    }
    unsafe first.store(self, firstRow: firstRow, rows: rows)
    unsafe second.store(next, firstRow: firstRow, rows: rows)
  }

  /// Up to four packed rows × 16 channels: `accumulator[r][c] = Σ activation[r][k] · weight[k][c]`.
  ///
  /// Bound: eight multiplies a step of `depthGroup` (AVX2 `vpmaddwd`: 128 products in 4 cycles at two a cycle), with two
  /// weight loads and four broadcasts beside them.
  /// - Precondition: `rows` is 1 … 4; rows beyond it are read and not written.
  @inline(never)
  @unsafe func tile4(_ activations: UnsafePointer<cv_activation>, rows: Int, firstRow: Int) {
    var sums = FourRowsInt8()
    var place = unsafe activations
    var w = unsafe weights
    var remaining = groups
    // In bounds: the panel holds `groups · 16` weight groups, the scratch four rows of `groups` activation groups.
    while remaining > 0 {
      unsafe sums.add(cv_load_weights(w), place, rowStride)
      unsafe w += Tile.channels &* Tile.depthGroup
      unsafe place += Tile.depthGroup
      remaining &-= 1
    }
    unsafe sums.store(self, firstRow: firstRow, rows: rows)
  }

  /// Two packed rows × 16 channels, as `tile4`.
  @inline(never)
  @unsafe func tile2(_ activations: UnsafePointer<cv_activation>, firstRow: Int) {
    var (sum0, sum1) = (SIMD16<Int32>(), SIMD16<Int32>())
    var place = unsafe activations
    var w = unsafe weights
    var remaining = groups
    // In bounds: as in `tile4`.
    while remaining > 0 {
      let v = unsafe cv_load_weights(w)
      sum0 = unsafe cv_dot(sum0, v, cv_load_activations(place))
      sum1 = unsafe cv_dot(sum1, v, cv_load_activations(place + rowStride))
      unsafe w += Tile.channels &* Tile.depthGroup
      unsafe place += Tile.depthGroup
      remaining &-= 1
    }
    unsafe store(firstRow, sum0)
    unsafe store(firstRow &+ 1, sum1)
  }

  /// One packed row × 16 channels: a fully connected layer of one sample, bound by reading the weights; four
  /// steps at once hide the multiply's latency.
  @inline(never)
  @unsafe func tile1(_ activations: UnsafePointer<cv_activation>, firstRow: Int) {
    let group = Tile.depthGroup
    let step = Tile.channels &* group
    var (sum0, sum1) = (SIMD16<Int32>(), SIMD16<Int32>())
    var (sum2, sum3) = (SIMD16<Int32>(), SIMD16<Int32>())
    var place = unsafe activations
    var w = unsafe weights
    var remaining = groups
    // In bounds: as in `tile4`. SSE2 has no registers for it.
    while Tile.int8Rows > 2 && remaining >= 4 {
      sum0 = unsafe cv_dot(sum0, cv_load_weights(w), cv_load_activations(place))
      sum1 = unsafe cv_dot(sum1, cv_load_weights(w + step), cv_load_activations(place + group))
      sum2 = unsafe cv_dot(
        sum2, cv_load_weights(w + 2 &* step), cv_load_activations(place + 2 &* group))
      sum3 = unsafe cv_dot(
        sum3, cv_load_weights(w + 3 &* step), cv_load_activations(place + 3 &* group))
      unsafe w += 4 &* step
      unsafe place += 4 &* group
      remaining &-= 4
    }
    while remaining > 0 {
      sum0 = unsafe cv_dot(sum0, cv_load_weights(w), cv_load_activations(place))
      unsafe w += step
      unsafe place += group
      remaining &-= 1
    }
    unsafe store(firstRow, (sum0 &+ sum1) &+ (sum2 &+ sum3))
  }

  @inline(__always)
  @unsafe fileprivate func store(_ row: Int, _ sums: SIMD16<Int32>) {
    unsafe epilogue.store(row: row, channel: channel, count: count, sums: sums, header: header)
  }
}
