import CVector

/// What the tiles of one panel have in common.
// Safe to hold: every use of a pointer is marked where it happens.
@safe struct PanelInt8<Epilogue: EpilogueInt8> {
  /// The panel's header; its weights follow at `weights`.
  let header: UnsafeRawPointer
  let weights: UnsafePointer<Int8>
  /// Runs of a window; their addresses lie `Tile.rowBlock` apart in the table that a tile is given.
  let lines: Int
  /// Multiples of `Tile.depthGroup` in a run.
  let lineGroups: Int
  /// The first output channel.
  let channel: Int
  /// Output channels of this panel, 1 … 16.
  let count: Int
  let epilogue: Epilogue

  /// Bytes from a panel to the next one.
  @inline(__always)
  fileprivate var stride: Int {
    3 &* Tile.channels &* 4 &+ lines &* lineGroups &* Tile.depthGroup &* Tile.channels
  }
}

/// Where the activations of four rows lie.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct FourPlacesInt8 {
  let place0: UnsafePointer<cv_activation>
  let place1: UnsafePointer<cv_activation>
  let place2: UnsafePointer<cv_activation>
  let place3: UnsafePointer<cv_activation>

  @inline(__always)
  @unsafe init(_ table: UnsafePointer<UnsafePointer<cv_activation>>) {
    unsafe place0 = table[0]
    unsafe place1 = table[1]
    unsafe place2 = table[2]
    unsafe place3 = table[3]
  }
}

/// The accumulators of four rows × 16 channels.
private struct FourRowsInt8 {
  private var sum0: SIMD16<Int32>
  private var sum1: SIMD16<Int32>
  private var sum2: SIMD16<Int32>
  private var sum3: SIMD16<Int32>

  @inline(__always)
  init(_ start: SIMD16<Int32>) { (sum0, sum1, sum2, sum3) = (start, start, start, start) }

  /// Adds one step of `Tile.depthGroup` of each row, from element `k` on.
  @inline(__always)
  @unsafe mutating func add(_ weights: cv_weights, _ places: FourPlacesInt8, _ k: Int) {
    sum0 = unsafe cv_dot(sum0, weights, cv_load_activations(places.place0 + k))
    sum1 = unsafe cv_dot(sum1, weights, cv_load_activations(places.place1 + k))
    sum2 = unsafe cv_dot(sum2, weights, cv_load_activations(places.place2 + k))
    sum3 = unsafe cv_dot(sum3, weights, cv_load_activations(places.place3 + k))
  }

  /// Writes the first `count` channels of `rows` (at least 1) rows of them.
  @inline(__always)
  @unsafe func store<Epilogue: EpilogueInt8>(
    _ panel: PanelInt8<Epilogue>, firstRow: Int, rows: Int, count: Int,
    _ farthest: inout SIMD16<Float>
  ) {
    var place = unsafe panel.epilogue.place(row: firstRow, channel: panel.channel)
    let stride = panel.epilogue.rowStride
    let constants = unsafe panel.constants
    unsafe panel.store(sum0, firstRow, place, count, constants, &farthest)
    guard rows > 1 else { return }
    unsafe place += stride
    unsafe panel.store(sum1, firstRow &+ 1, place, count, constants, &farthest)
    guard rows > 2 else { return }
    unsafe place += stride
    unsafe panel.store(sum2, firstRow &+ 2, place, count, constants, &farthest)
    guard rows > 3 else { return }
    unsafe place += stride
    unsafe panel.store(sum3, firstRow &+ 3, place, count, constants, &farthest)
  }
}

extension PanelInt8 {
  /// Up to eight rows × 16 channels of this panel and of `next`: a tile of AVX-512.
  ///
  /// Bound: sixteen `vpdpbusd` a step of four, 1024 products in 8 cycles at two a cycle, with two loads and eight
  /// broadcasts beside them. A layer of depth 512 reaches 87 % of it on Zen 5, epilogue included.
  /// - Precondition: `rows` is 5 … 8; the table has addresses for rows beyond it, which are not written.
  @inline(never)
  @unsafe func tile8(
    and next: PanelInt8, _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    unsafe eightRows(next, table, rows: rows, firstRow: firstRow)
  }

  /// Up to eight rows × 16 channels, as above.
  ///
  /// Bound: nine loads for eight `vpdpbusd`.
  @inline(never)
  @unsafe func tile8(
    _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    unsafe eightRows(nil, table, rows: rows, firstRow: firstRow)
  }

  @inline(__always)
  @unsafe private func eightRows(
    _ next: PanelInt8?, _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    let lineElements = lineGroups &* Tile.depthGroup
    let second = next ?? self
    // Of the next two panels even tiles fetch one and odd tiles the other.
    let ahead = next == nil ? stride : (2 &+ (firstRow / 8) & 1) &* stride
    var (w0, w1) = unsafe (weights, second.weights)
    var (top0, bottom0) = unsafe (FourRowsInt8(start), FourRowsInt8(start))
    var (top1, bottom1) = unsafe (FourRowsInt8(second.start), FourRowsInt8(second.start))
    var row = unsafe table
    var line = 0
    // In bounds: a run has `lineGroups` groups of activations, the panels as many of weights for each run.
    while line < lines {
      let (top, bottom) = unsafe (FourPlacesInt8(row), FourPlacesInt8(row + 4))
      var k = 0
      while k < lineElements {
        unsafe cv_prefetch(w0 + ahead)
        let v0 = unsafe cv_load_weights(w0)
        unsafe top0.add(v0, top, k)
        if next != nil {
          let v1 = unsafe cv_load_weights(w1)
          unsafe top1.add(v1, top, k)
          unsafe bottom0.add(v0, bottom, k)
          unsafe bottom1.add(v1, bottom, k)
          unsafe w1 += Tile.channels &* Tile.depthGroup
        } else {
          unsafe bottom0.add(v0, bottom, k)
        }
        unsafe w0 += Tile.channels &* Tile.depthGroup
        k &+= Tile.depthGroup
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    var farthest = SIMD16<Float>()
    let count = next == nil ? count : Tile.channels
    unsafe top0.store(self, firstRow: firstRow, rows: 4, count: count, &farthest)
    unsafe bottom0.store(self, firstRow: firstRow &+ 4, rows: rows &- 4, count: count, &farthest)
    if let next {
      unsafe top1.store(next, firstRow: firstRow, rows: 4, count: next.count, &farthest)
      unsafe bottom1.store(
        next, firstRow: firstRow &+ 4, rows: rows &- 4, count: next.count, &farthest)
    }
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: (top0, bottom0)) { sums in
      unsafe storeAgain(sums, rows: rows, firstRow: firstRow)
    }
    guard let next else { return }
    unsafe withUnsafeBytes(of: (top1, bottom1)) { sums in
      unsafe next.storeAgain(sums, rows: rows, firstRow: firstRow)
    }
  }

  /// Up to four rows × 16 channels of this panel and of `next`, as `tile8`.
  @inline(never)
  @unsafe func tile4(
    and next: PanelInt8, _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    unsafe fourRows(next, table, rows: rows, firstRow: firstRow)
  }

  /// Up to four rows × 16 channels: `accumulator[r][c] = Σ activation[r][k] · weight[k][c]`.
  ///
  /// Bound: eight multiplies a step of `depthGroup` (AVX2 `vpmaddwd`: 128 products in 4 cycles at two a cycle), with two
  /// weight loads and four broadcasts beside them.
  /// - Precondition: `rows` is 1 … 4; the table has addresses for rows beyond it, which are not written.
  @inline(never)
  @unsafe func tile4(
    _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    unsafe fourRows(nil, table, rows: rows, firstRow: firstRow)
  }

  @inline(__always)
  @unsafe private func fourRows(
    _ next: PanelInt8?, _ table: UnsafePointer<UnsafePointer<cv_activation>>, rows: Int, firstRow: Int
  ) {
    let lineElements = lineGroups &* Tile.depthGroup
    let second = next ?? self
    let ahead = stride
    var (w0, w1) = unsafe (weights, second.weights)
    var (sums0, sums1) = unsafe (FourRowsInt8(start), FourRowsInt8(second.start))
    var row = unsafe table
    var line = 0
    // In bounds: as in `eightRows`.
    while line < lines {
      let places = unsafe FourPlacesInt8(row)
      var k = 0
      while k < lineElements {
        if Tile.fetchesNextPanel { unsafe cv_prefetch(w0 + ahead) }
        unsafe sums0.add(cv_load_weights(w0), places, k)
        unsafe w0 += Tile.channels &* Tile.depthGroup
        if next != nil {
          unsafe sums1.add(cv_load_weights(w1), places, k)
          unsafe w1 += Tile.channels &* Tile.depthGroup
        }
        k &+= Tile.depthGroup
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    var farthest = SIMD16<Float>()
    let count = next == nil ? count : Tile.channels
    unsafe sums0.store(self, firstRow: firstRow, rows: rows, count: count, &farthest)
    if let next {
      unsafe sums1.store(next, firstRow: firstRow, rows: rows, count: next.count, &farthest)
    }
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: sums0) { unsafe storeAgain($0, rows: rows, firstRow: firstRow) }
    guard let next else { return }
    unsafe withUnsafeBytes(of: sums1) { unsafe next.storeAgain($0, rows: rows, firstRow: firstRow) }
  }

  /// Two rows × 16 channels, as `tile4`.
  @inline(never)
  @unsafe func tile2(
    _ table: UnsafePointer<UnsafePointer<cv_activation>>, firstRow: Int
  ) {
    let lineElements = lineGroups &* Tile.depthGroup
    var w = unsafe weights
    var (sum0, sum1) = unsafe (start, start)
    var row = unsafe table
    var line = 0
    // In bounds: as in `eightRows`.
    while line < lines {
      let (place0, place1) = unsafe (row[0], row[1])
      var k = 0
      while k < lineElements {
        let v = unsafe cv_load_weights(w)
        sum0 = unsafe cv_dot(sum0, v, cv_load_activations(place0 + k))
        sum1 = unsafe cv_dot(sum1, v, cv_load_activations(place1 + k))
        unsafe w += Tile.channels &* Tile.depthGroup
        k &+= Tile.depthGroup
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    let place = unsafe epilogue.place(row: firstRow, channel: channel)
    var farthest = SIMD16<Float>()
    let constants = unsafe constants
    unsafe store(sum0, firstRow, place, count, constants, &farthest)
    unsafe store(sum1, firstRow &+ 1, place + epilogue.rowStride, count, constants, &farthest)
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: (sum0, sum1)) {
      unsafe storeAgain($0, rows: 2, firstRow: firstRow)
    }
  }

  /// One row × 16 channels: a fully connected layer of one sample, bound by reading the weights; four
  /// steps at once hide the multiply's latency.
  @inline(never)
  @unsafe func tile1(_ table: UnsafePointer<UnsafePointer<cv_activation>>, firstRow: Int) {
    let group = Tile.depthGroup
    let step = Tile.channels &* group
    var (sum0, sum1) = unsafe (start, SIMD16<Int32>())
    var (sum2, sum3) = (SIMD16<Int32>(), SIMD16<Int32>())
    var w = unsafe weights
    var row = unsafe table
    var line = 0
    // In bounds: as in `eightRows`. SSE2 has no registers for four steps at once.
    while line < lines {
      var place = unsafe row.pointee
      var remaining = lineGroups
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
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    let sum = (sum0 &+ sum1) &+ (sum2 &+ sum3)
    var farthest = SIMD16<Float>()
    unsafe store(
      sum, firstRow, epilogue.place(row: firstRow, channel: channel), count, constants, &farthest)
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: sum) { unsafe storeAgain($0, rows: 1, firstRow: firstRow) }
  }

  /// One row × 64 channels: this panel and the next three, which share each broadcast.
  ///
  /// Bound: five loads for four multiplies; and four epilogues at once, whose latency one alone would wait for.
  @inline(never)
  @unsafe func tile1(
    and second: PanelInt8, _ third: PanelInt8, _ fourth: PanelInt8,
    _ table: UnsafePointer<UnsafePointer<cv_activation>>, firstRow: Int
  ) {
    let step = Tile.channels &* Tile.depthGroup
    var (w0, w1) = unsafe (weights, second.weights)
    var (w2, w3) = unsafe (third.weights, fourth.weights)
    var (sum0, sum1) = unsafe (start, second.start)
    var (sum2, sum3) = unsafe (third.start, fourth.start)
    var row = unsafe table
    var line = 0
    // In bounds: as in `eightRows`.
    while line < lines {
      var place = unsafe row.pointee
      var remaining = lineGroups
      while remaining > 0 {
        let x = unsafe cv_load_activations(place)
        sum0 = unsafe cv_dot(sum0, cv_load_weights(w0), x)
        sum1 = unsafe cv_dot(sum1, cv_load_weights(w1), x)
        sum2 = unsafe cv_dot(sum2, cv_load_weights(w2), x)
        sum3 = unsafe cv_dot(sum3, cv_load_weights(w3), x)
        unsafe w0 += step
        unsafe w1 += step
        unsafe w2 += step
        unsafe w3 += step
        unsafe place += Tile.depthGroup
        remaining &-= 1
      }
      unsafe row += Tile.rowBlock
      line &+= 1
    }
    let place = unsafe epilogue.place(row: firstRow, channel: channel)
    var farthest = SIMD16<Float>()
    let whole = Tile.channels
    unsafe store(sum0, firstRow, place, whole, constants, &farthest)
    unsafe second.store(sum1, firstRow, place + whole, whole, second.constants, &farthest)
    unsafe third.store(sum2, firstRow, place + 2 &* whole, whole, third.constants, &farthest)
    unsafe fourth.store(
      sum3, firstRow, place + 3 &* whole, fourth.count, fourth.constants, &farthest)
    guard _slowPath(epilogue.hasTie(farthest)) else { return }
    unsafe withUnsafeBytes(of: (sum0, sum1, sum2, sum3)) { sums in
      unsafe storeAgain(sums, rows: 1, firstRow: firstRow)
      unsafe second.storeAgain(sums, from: 1, rows: 1, firstRow: firstRow)
      unsafe third.storeAgain(sums, from: 2, rows: 1, firstRow: firstRow)
      unsafe fourth.storeAgain(sums, from: 3, rows: 1, firstRow: firstRow)
    }
  }

  @inline(__always)
  @unsafe private var start: SIMD16<Int32> { unsafe epilogue.start(header) }

  @inline(__always)
  @unsafe fileprivate var constants: Epilogue.Constants { unsafe epilogue.constants(header) }

  /// Stores the first `count` channels of a row of the tile.
  @inline(__always)
  @unsafe fileprivate func store(
    _ sums: SIMD16<Int32>, _ row: Int, _ place: UnsafeMutablePointer<Epilogue.Output>,
    _ count: Int, _ constants: Epilogue.Constants, _ farthest: inout SIMD16<Float>
  ) {
    unsafe epilogue.store(
      sums, row: row, to: place, count: count, constants, farthest: &farthest)
  }

  /// Stores a tile again, whose sums are those vectors from `first` on.
  @inline(__always)
  @unsafe private func storeAgain(
    _ sums: UnsafeRawBufferPointer, from first: Int = 0, rows: Int, firstRow: Int
  ) {
    unsafe epilogue.storeAgain(
      sums, from: first, rows: rows, firstRow: firstRow, channel: channel, count: count,
      header: header)
  }
}
