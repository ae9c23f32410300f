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
  let lowest: SIMD16<Float>
  let highest: SIMD16<Float>
  /// The output element of row 0 and the panel's first channel.
  let output: UnsafeMutablePointer<Float>
  let outputRowStride: Int

  /// Floats from a panel to the next one.
  @inline(__always)
  fileprivate var stride: Int { (lines &* lineDepth &+ 1) &* Tile.channels }
}

/// Where the activations of four rows lie.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct FourPlaces {
  let place0: UnsafePointer<Float>
  let place1: UnsafePointer<Float>
  let place2: UnsafePointer<Float>
  let place3: UnsafePointer<Float>

  @inline(__always)
  @unsafe init(_ table: UnsafePointer<UnsafePointer<Float>>) {
    unsafe place0 = table[0]
    unsafe place1 = table[1]
    unsafe place2 = table[2]
    unsafe place3 = table[3]
  }
}

/// The accumulators of four rows × 16 channels.
private struct FourRowsFloat32 {
  private var sum0 = SIMD16<Float>()
  private var sum1 = SIMD16<Float>()
  private var sum2 = SIMD16<Float>()
  private var sum3 = SIMD16<Float>()

  /// Adds one step: the element `k` of each row times a row of weights.
  @inline(__always)
  @unsafe mutating func add(_ weights: SIMD16<Float>, _ places: FourPlaces, _ k: Int) {
    sum0 = unsafe cv_multiply_add_x16(sum0, SIMD16(repeating: places.place0[k]), weights)
    sum1 = unsafe cv_multiply_add_x16(sum1, SIMD16(repeating: places.place1[k]), weights)
    sum2 = unsafe cv_multiply_add_x16(sum2, SIMD16(repeating: places.place2[k]), weights)
    sum3 = unsafe cv_multiply_add_x16(sum3, SIMD16(repeating: places.place3[k]), weights)
  }

  /// Writes `rows` (at least 1) rows of them.
  @inline(__always)
  @unsafe func store(_ panel: PanelFloat32, firstRow: Int, rows: Int) {
    unsafe panel.store(firstRow, sum0)
    if rows > 1 { unsafe panel.store(firstRow &+ 1, sum1) }
    if rows > 2 { unsafe panel.store(firstRow &+ 2, sum2) }
    if rows > 3 { unsafe panel.store(firstRow &+ 3, sum3) }
  }
}

extension PanelFloat32 {
  /// Up to eight rows × 16 channels of this panel and of `next`: a tile of AVX-512.
  ///
  /// Bound: sixteen multiply-adds a step at two a cycle; two loads and eight broadcasts go beside them, and a line of the
  /// next two panels is fetched: of one by even tiles, of the other by odd ones. Layers of depth 160 and more, their
  /// weights in the third cache, reach 95 % of it on Zen 5 (72 % without what is fetched).
  /// - Precondition: `rows` is 5 … 8; the table has addresses for rows beyond it, which are not written.
  @inline(never)
  @unsafe func tile8(
    and next: PanelFloat32, _ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int
  ) {
    let ahead = (2 &+ (firstRow / 8) & 1) &* stride
    var (w0, w1) = unsafe (header + Tile.channels, next.header + Tile.channels)
    var (top0, bottom0) = (FourRowsFloat32(), FourRowsFloat32())
    var (top1, bottom1) = (FourRowsFloat32(), FourRowsFloat32())
    var row = unsafe table
    var line = 0
    // In bounds: each row of a window has `lineDepth` elements, the panels `lines` times as many steps.
    while line < lines {
      let (top, bottom) = unsafe (FourPlaces(row), FourPlaces(row + 4))
      var k = 0
      while k < lineDepth {
        unsafe cv_prefetch(w0 + ahead)
        let (v0, v1) = unsafe (cv_load_f32x16(w0), cv_load_f32x16(w1))
        unsafe top0.add(v0, top, k)
        unsafe top1.add(v1, top, k)
        unsafe bottom0.add(v0, bottom, k)
        unsafe bottom1.add(v1, bottom, k)
        unsafe w0 += Tile.channels
        unsafe w1 += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe top0.store(self, firstRow: firstRow, rows: 4)
    unsafe bottom0.store(self, firstRow: firstRow &+ 4, rows: rows &- 4)
    unsafe top1.store(next, firstRow: firstRow, rows: 4)
    unsafe bottom1.store(next, firstRow: firstRow &+ 4, rows: rows &- 4)
  }

  /// Up to eight rows × 16 channels, as above.
  @inline(never)
  @unsafe func tile8(_ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int) {
    let stride = stride
    var w = unsafe header + Tile.channels
    var (topSums, bottomSums) = (FourRowsFloat32(), FourRowsFloat32())
    var row = unsafe table
    var line = 0
    // In bounds: as above.
    while line < lines {
      let (top, bottom) = unsafe (FourPlaces(row), FourPlaces(row + 4))
      var k = 0
      while k < lineDepth {
        unsafe cv_prefetch(w + stride)
        let v = unsafe cv_load_f32x16(w)
        unsafe topSums.add(v, top, k)
        unsafe bottomSums.add(v, bottom, k)
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe topSums.store(self, firstRow: firstRow, rows: 4)
    unsafe bottomSums.store(self, firstRow: firstRow &+ 4, rows: rows &- 4)
  }

  /// Up to six rows × 16 channels: `accumulator[r][c] = Σ activation[r][k] · weight[k][c]`.
  ///
  /// Bound: twelve multiply-adds a step at two a cycle (AVX2); two loads, six broadcasts and the fetch of a line of the next
  /// panel go beside them.
  /// - Precondition: `rows` is 5 or 6; the table has addresses for rows beyond it, which are not written.
  @inline(never)
  @unsafe func tile6(_ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int) {
    let stride = stride
    var w = unsafe header + Tile.channels
    var sums = FourRowsFloat32()
    var (sum4, sum5) = (SIMD16<Float>(), SIMD16<Float>())
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile8`.
    while line < lines {
      let places = unsafe FourPlaces(row)
      let (place4, place5) = unsafe (row[4], row[5])
      var k = 0
      while k < lineDepth {
        unsafe cv_prefetch(w + stride)
        let v = unsafe cv_load_f32x16(w)
        unsafe sums.add(v, places, k)
        sum4 = unsafe cv_multiply_add_x16(sum4, SIMD16(repeating: place4[k]), v)
        sum5 = unsafe cv_multiply_add_x16(sum5, SIMD16(repeating: place5[k]), v)
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe sums.store(self, firstRow: firstRow, rows: 4)
    unsafe store(firstRow &+ 4, sum4)
    if rows > 5 { unsafe store(firstRow &+ 5, sum5) }
  }

  /// Up to four rows × 16 channels of this panel and of `next`, as `tile8`.
  @inline(never)
  @unsafe func tile4(
    and next: PanelFloat32, _ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int
  ) {
    var (w0, w1) = unsafe (header + Tile.channels, next.header + Tile.channels)
    var (first, second) = (FourRowsFloat32(), FourRowsFloat32())
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile8`.
    while line < lines {
      let places = unsafe FourPlaces(row)
      var k = 0
      while k < lineDepth {
        unsafe first.add(cv_load_f32x16(w0), places, k)
        unsafe second.add(cv_load_f32x16(w1), places, k)
        unsafe w0 += Tile.channels
        unsafe w1 += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe first.store(self, firstRow: firstRow, rows: rows)
    unsafe second.store(next, firstRow: firstRow, rows: rows)
  }

  /// Up to four rows × 16 channels, as `tile6`.
  /// - Precondition: `rows` is 1 … 4.
  @inline(never)
  @unsafe func tile4(_ table: UnsafePointer<UnsafePointer<Float>>, rows: Int, firstRow: Int) {
    var w = unsafe header + Tile.channels
    var sums = FourRowsFloat32()
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile8`.
    while line < lines {
      let places = unsafe FourPlaces(row)
      var k = 0
      while k < lineDepth {
        unsafe sums.add(cv_load_f32x16(w), places, k)
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe sums.store(self, firstRow: firstRow, rows: rows)
  }

  /// Two rows × 16 channels, as `tile6`.
  @inline(never)
  @unsafe func tile2(_ table: UnsafePointer<UnsafePointer<Float>>, firstRow: Int) {
    var w = unsafe header + Tile.channels
    var (sum0, sum1) = (SIMD16<Float>(), SIMD16<Float>())
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile8`.
    while line < lines {
      let (place0, place1) = unsafe (row[0], row[1])
      var k = 0
      while k < lineDepth {
        let v = unsafe cv_load_f32x16(w)
        sum0 = unsafe cv_multiply_add_x16(sum0, SIMD16(repeating: place0[k]), v)
        sum1 = unsafe cv_multiply_add_x16(sum1, SIMD16(repeating: place1[k]), v)
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe store(firstRow, sum0)
    unsafe store(firstRow &+ 1, sum1)
  }

  /// One row × 16 channels, bound by reading the weights; four steps at once hide the multiply-add's latency.
  @inline(never)
  @unsafe func tile1(_ table: UnsafePointer<UnsafePointer<Float>>, firstRow: Int) {
    var w = unsafe header + Tile.channels
    var (sum0, sum1) = (SIMD16<Float>(), SIMD16<Float>())
    var (sum2, sum3) = (SIMD16<Float>(), SIMD16<Float>())
    var row = unsafe table
    var line = 0
    // In bounds: as in `tile8`. SSE2 has no registers for four steps at once.
    while line < lines {
      let place = unsafe row.pointee
      var k = 0
      while Tile.float32Rows > 2 && k &+ 4 <= lineDepth {
        sum0 = unsafe cv_multiply_add_x16(sum0, SIMD16(repeating: place[k]), cv_load_f32x16(w))
        sum1 = unsafe cv_multiply_add_x16(
          sum1, SIMD16(repeating: place[k &+ 1]), cv_load_f32x16(w + Tile.channels))
        sum2 = unsafe cv_multiply_add_x16(
          sum2, SIMD16(repeating: place[k &+ 2]), cv_load_f32x16(w + 2 &* Tile.channels))
        sum3 = unsafe cv_multiply_add_x16(
          sum3, SIMD16(repeating: place[k &+ 3]), cv_load_f32x16(w + 3 &* Tile.channels))
        unsafe w += 4 &* Tile.channels
        k &+= 4
      }
      while k < lineDepth {
        sum0 = unsafe cv_multiply_add_x16(sum0, SIMD16(repeating: place[k]), cv_load_f32x16(w))
        unsafe w += Tile.channels
        k &+= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    unsafe store(firstRow, (sum0 + sum1) + (sum2 + sum3))
  }

  /// Adds the bias, clamps and writes 16 accumulators of one row.
  @inline(__always)
  @unsafe fileprivate func store(_ row: Int, _ sums: SIMD16<Float>) {
    let values = unsafe cv_clamp_keeping_nan_x16(sums + cv_load_f32x16(header), lowest, highest)
    unsafe storeFloat32(output + row &* outputRowStride, values, count)
  }
}
