import CVector
import KernelInterface

/// Int16 convolution and fully connected layer with int8 weights, four output pixels × 16 channels at a time.
///
/// Products are summed in 32 bits over 128 pairs of depth, which cannot overflow, and then in 64. Bound: eight multiplies
/// a pair, with two weight loads and four broadcasts beside them, and 64-bit scalar scaling of each result.
func convolutionInt16(_ arguments: ConvolutionInt16Arguments, _ range: WorkRange) {
  let geometry = arguments.geometry
  let pairs = (geometry.depth &+ 1) / 2
  let tileRows = ConvolutionInt16Arguments.rows
  let channels = ConvolutionInt16Arguments.channels
  // Sound: the maker of the arguments vouches for the pointers.
  let sums = unsafe arguments.scratch.assumingMemoryBound(to: Int64.self)
  let packed = unsafe (arguments.scratch + tileRows &* channels &* 8).assumingMemoryBound(
    to: Int16.self)
  var row = range.rows.lowerBound
  while row < range.rows.upperBound {
    let rows = min(tileRows, range.rows.upperBound &- row)
    unsafe packWindows(arguments, row: row, rows: rows, stride: pairs &* 2, to: packed)
    var panel = range.panels.lowerBound
    while panel < range.panels.upperBound {
      let weights = unsafe arguments.weights + panel &* pairs &* 2 &* channels
      unsafe multiply(weights, packed, pairs: pairs, rows: rows, sums)
      let channel = panel &* channels
      let count = min(channels, geometry.outputChannels &- channel)
      unsafe storeTile(arguments, sums, row: row, rows: rows, channel: channel, count: count)
      panel &+= 1
    }
    row &+= rows
  }
}

/// Writes `rows` windows one behind the other, each padded to whole pairs; padding is 0.
@unsafe private func packWindows(
  _ arguments: ConvolutionInt16Arguments, row: Int, rows: Int, stride: Int,
  to packed: UnsafeMutablePointer<Int16>
) {
  let geometry = arguments.geometry
  let channels = geometry.inputChannels
  var index = 0
  // In bounds: a tap inside the image has all of its channels there, and a window `depth` elements.
  while index < rows {
    let pixel = (row &+ index) % geometry.outputPixels
    let image = (row &+ index) / geometry.outputPixels
    let top = pixel / geometry.outputWidth &* geometry.strideHeight &- geometry.paddingTop
    let left = pixel % geometry.outputWidth &* geometry.strideWidth &- geometry.paddingLeft
    var place = unsafe packed + index &* stride
    var tap = 0
    while tap < geometry.taps {
      let y = top &+ tap / geometry.kernelWidth &* geometry.dilationHeight
      let x = left &+ tap % geometry.kernelWidth &* geometry.dilationWidth
      if y >= 0 && y < geometry.inputHeight && x >= 0 && x < geometry.inputWidth {
        let line = image &* geometry.inputHeight &+ y
        let source = unsafe arguments.input
          + (line &* geometry.inputWidth &+ x) &* channels
        unsafe copy(source, channels, to: place)
      } else {
        unsafe clear(place, channels)
      }
      unsafe place += channels
      tap &+= 1
    }
    if geometry.depth % 2 == 1 { unsafe place.pointee = 0 }
    index &+= 1
  }
}

@inline(__always)
@unsafe private func copy(
  _ source: UnsafePointer<Int16>, _ count: Int, to destination: UnsafeMutablePointer<Int16>
) {
  var i = 0
  while i < count {
    unsafe destination[i] = source[i]
    i &+= 1
  }
}

@inline(__always)
@unsafe private func clear(_ destination: UnsafeMutablePointer<Int16>, _ count: Int) {
  var i = 0
  while i < count {
    unsafe destination[i] = 0
    i &+= 1
  }
}

/// `sums[r][c] = Σ packed[r][k] · weights[k][c]`; rows beyond `rows` repeat the last.
@unsafe private func multiply(
  _ weights: UnsafePointer<Int8>, _ packed: UnsafePointer<Int16>, pairs: Int, rows: Int,
  _ sums: UnsafeMutablePointer<Int64>
) {
  let stride = pairs &* 2
  var a0 = unsafe packed
  var a1 = unsafe a0 + (rows > 1 ? stride : 0)
  var a2 = unsafe a1 + (rows > 2 ? stride : 0)
  var a3 = unsafe a2 + (rows > 3 ? stride : 0)
  var w = unsafe weights
  var sum = 0
  while sum < 64 {
    unsafe sums[sum] = 0
    sum &+= 1
  }
  var left = pairs
  // In bounds: the panel holds `pairs · 16` pairs of weights, each packed row `pairs` pairs.
  while left > 0 {
    var (sum00, sum01) = (SIMD8<Int32>(), SIMD8<Int32>())
    var (sum10, sum11) = (SIMD8<Int32>(), SIMD8<Int32>())
    var (sum20, sum21) = (SIMD8<Int32>(), SIMD8<Int32>())
    var (sum30, sum31) = (SIMD8<Int32>(), SIMD8<Int32>())
    var remaining = min(left, 128)
    left &-= remaining
    while remaining > 0 {
      sum00 = unsafe cv_dot_s16(sum00, w, a0)
      sum01 = unsafe cv_dot_s16(sum01, w + 16, a0)
      sum10 = unsafe cv_dot_s16(sum10, w, a1)
      sum11 = unsafe cv_dot_s16(sum11, w + 16, a1)
      sum20 = unsafe cv_dot_s16(sum20, w, a2)
      sum21 = unsafe cv_dot_s16(sum21, w + 16, a2)
      sum30 = unsafe cv_dot_s16(sum30, w, a3)
      sum31 = unsafe cv_dot_s16(sum31, w + 16, a3)
      unsafe w += 32
      unsafe a0 += 2
      unsafe a1 += 2
      unsafe a2 += 2
      unsafe a3 += 2
      remaining &-= 1
    }
    unsafe add(sum00, sum01, to: sums)
    unsafe add(sum10, sum11, to: sums + 16)
    unsafe add(sum20, sum21, to: sums + 32)
    unsafe add(sum30, sum31, to: sums + 48)
  }
}

@inline(__always)
@unsafe private func add(
  _ low: SIMD8<Int32>, _ high: SIMD8<Int32>, to sums: UnsafeMutablePointer<Int64>
) {
  var lane = 0
  while lane < 8 {
    unsafe sums[lane] &+= Int64(low[lane])
    unsafe sums[8 &+ lane] &+= Int64(high[lane])
    lane &+= 1
  }
}

@unsafe private func storeTile(
  _ arguments: ConvolutionInt16Arguments, _ sums: UnsafePointer<Int64>, row: Int, rows: Int,
  channel: Int, count: Int
) {
  var index = 0
  while index < rows {
    let output = unsafe arguments.output
      + ((row &+ index) &* arguments.geometry.outputChannels &+ channel)
    var lane = 0
    while lane < count {
      unsafe output[lane] = scaledInt16(arguments, sums[index &* 16 &+ lane], channel &+ lane)
      lane &+= 1
    }
    index &+= 1
  }
}

/// The code of a sum of one output channel.
@inline(__always)
@unsafe func scaledInt16(
  _ arguments: ConvolutionInt16Arguments, _ sum: Int64, _ channel: Int
) -> Int16 {
  let shift = unsafe Int64(arguments.shifts[channel])
  let total = unsafe sum &+ arguments.bias[channel]
  let multiplier = unsafe Int64(arguments.multipliers[channel])
  let half: Int64 = 1 &<< (shift &- 1)
  let scaled: Int64
  if multiplier < 1 << 15 {
    scaled = (total &* multiplier &+ half) &>> shift
  } else {
    // 31 bits of multiplier and up to 48 of sum: the product takes two words, what is left of it one.
    let product = total.multipliedFullWidth(by: multiplier)
    let (low, carries) = product.low.addingReportingOverflow(UInt64(half))
    let high = product.high &+ (carries ? 1 : 0)
    scaled = (high &<< (64 &- shift)) | Int64(truncatingIfNeeded: low &>> UInt64(shift))
  }
  return Int16(
    truncatingIfNeeded: min(max(scaled, Int64(arguments.minimum)), Int64(arguments.maximum)))
}
