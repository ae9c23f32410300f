import KernelInterface

/// The steps of audio front ends, in integers throughout, so that every processor gives the same bits.
///
/// - Source: the arithmetic of the signal library of TensorFlow Lite for Microcontrollers.
func signal(_ arguments: SignalArguments) {
  let count = arguments.count
  // Sound: the maker of the arguments vouches for the pointers' types and extents.
  let operands = unsafe arguments.operands
  let results = unsafe arguments.results
  switch arguments.step {
  case .window(let shift, let length):
    guard let weights = unsafe operands.1 else { return }
    unsafe window(
      operands.0.assumingMemoryBound(to: Int16.self), weights.assumingMemoryBound(to: Int16.self),
      count, shift, length, results.0.assumingMemoryBound(to: Int16.self))
  case .autoScale:
    unsafe autoScale(
      operands.0.assumingMemoryBound(to: Int16.self), count,
      results.0.assumingMemoryBound(to: Int16.self),
      results.1?.assumingMemoryBound(to: Int32.self))
  case .spectrum(let transform, let inputs):
    guard let table = unsafe operands.1?.assumingMemoryBound(to: Int32.self) else { return }
    if transform.isWide {
      unsafe transformRows(
        arguments, transform, inputs, table, as: Int32.self, fractionBits: 31)
    } else {
      unsafe transformRows(
        arguments, transform, inputs, table, as: Int16.self, fractionBits: 15)
    }
  case .inverseSpectrum(let transform):
    guard let table = unsafe operands.1?.assumingMemoryBound(to: Int32.self) else { return }
    if transform.isWide {
      unsafe restoreRows(arguments, transform, table, as: Int32.self, fractionBits: 31)
    } else {
      unsafe restoreRows(arguments, transform, table, as: Int16.self, fractionBits: 15)
    }
  case .realSpectrum(let length, let inputs):
    unsafe transformRealRows(arguments, length, inputs)
  case .inverseRealSpectrum(let length): unsafe restoreRealRows(arguments, length)
  case .overlapAdd(let sizes): unsafe overlapAdd(arguments, sizes)
  case .energy(let start, let end):
    let input = unsafe operands.0.assumingMemoryBound(to: Int16.self)
    let output = unsafe results.0.assumingMemoryBound(to: UInt32.self)
    var i = 0
    while i < count {
      let (real, imaginary) = unsafe (Int32(input[2 &* i]), Int32(input[2 &* i &+ 1]))
      unsafe output[i] = i < start || i >= end
        ? 0 : UInt32(bitPattern: real &* real &+ imaginary &* imaginary)
      i &+= 1
    }
  case .filterBank: unsafe filterBank(arguments)
  case .squareRoot:
    let input = unsafe operands.0.assumingMemoryBound(to: UInt64.self)
    let output = unsafe results.0.assumingMemoryBound(to: UInt32.self)
    let bits = unsafe operands.1?.assumingMemoryBound(to: Int32.self)[0] ?? 0
    var i = 0
    while i < count {
      unsafe output[i] = roundedRoot(input[i]) >> UInt32(min(max(bits, 0), 31))
      i &+= 1
    }
  case .subtractNoise(let weights): unsafe subtractNoise(arguments, weights)
  case .gainControl(let shift): unsafe controlGain(arguments, shift)
  case .logarithm(let scale, let bits):
    guard let table = unsafe operands.1?.assumingMemoryBound(to: Int32.self) else { return }
    let input = unsafe operands.0.assumingMemoryBound(to: UInt32.self)
    let output = unsafe results.0.assumingMemoryBound(to: Int16.self)
    var i = 0
    while i < count {
      let scaled = unsafe input[i] &<< bits
      let value = scaled > 1 ? unsafe logarithm(scaled, scale, table) : 0
      unsafe output[i] = Int16(truncatingIfNeeded: min(value, 32767))
      i &+= 1
    }
  }
}

@unsafe private func window(
  _ input: UnsafePointer<Int16>, _ weights: UnsafePointer<Int16>, _ count: Int, _ shift: Int32,
  _ length: Int, _ output: UnsafeMutablePointer<Int16>
) {
  var (i, column) = (0, 0)
  while i < count {
    unsafe output[i] = saturated16((Int32(input[i]) &* Int32(weights[column])) &>> shift)
    i &+= 1
    column = column &+ 1 == length ? 0 : column &+ 1
  }
}

@unsafe private func autoScale(
  _ input: UnsafePointer<Int16>, _ count: Int, _ output: UnsafeMutablePointer<Int16>,
  _ bits: UnsafeMutablePointer<Int32>?
) {
  var greatest: Int16 = 0
  var i = 0
  while i < count {
    let value = unsafe input[i]
    if value > greatest {
      greatest = value
    } else if -Int32(value) > Int32(greatest) {
      // The lowest number has no magnitude of 16 bits and wraps to itself, as in the source.
      greatest = 0 &- value
    }
    i &+= 1
  }
  let free = greatest > 0 ? Int32(greatest.leadingZeroBitCount) &- 1 : 0
  unsafe bits?[0] = free
  i = 0
  while i < count {
    unsafe output[i] = input[i] &<< Int16(truncatingIfNeeded: free)
    i &+= 1
  }
}

// MARK: Fourier transform

@inline(__always)
@unsafe private func transformRows<Code: FixedWidthInteger & SignedInteger>(
  _ arguments: SignalArguments, _ transform: FixedPointTransform, _ inputs: Int,
  _ table: UnsafePointer<Int32>, as type: Code.Type, fractionBits: Int64
) {
  let half = transform.half
  let line = unsafe arguments.scratch.assumingMemoryBound(to: Code.self)
  var row = 0
  while row < arguments.count {
    let input = unsafe arguments.operands.0.assumingMemoryBound(to: Code.self) + row &* inputs
    let output = unsafe arguments.results.0.assumingMemoryBound(to: Code.self)
      + row &* (2 &* half &+ 2)
    var i = 0
    while i < half {
      let source = unsafe 2 &* Int(table[i])
      unsafe line[2 &* i] = source < inputs ? input[source] : 0
      unsafe line[2 &* i &+ 1] = source &+ 1 < inputs ? input[source &+ 1] : 0
      i &+= 1
    }
    unsafe turn(line, half, table + transform.turnsPlace, 1, fractionBits)
    unsafe split(line, half, table + transform.splitPlace, output, fractionBits)
    row &+= 1
  }
}

/// Transforms complex numbers in their places of the table in place; `sign` is −1 for the opposite turns.
@inline(__always)
@unsafe private func turn<Code: FixedWidthInteger & SignedInteger>(
  _ line: UnsafeMutablePointer<Code>, _ half: Int, _ turns: UnsafePointer<Int32>, _ sign: Int64,
  _ fractionBits: Int64
) {
  // What remains after steps of four is one of two, which comes first.
  var length = half.trailingZeroBitCount & 1 == 1 ? 2 : 1
  if length == 2 { unsafe pairs(line, half, fractionBits) }
  while length < half {
    unsafe quarters(line, length, half, turns, sign, fractionBits)
    length &*= 4
  }
}

/// Real numbers out of their spectrum: the way of `transformRows` back.
@inline(__always)
@unsafe private func restoreRows<Code: FixedWidthInteger & SignedInteger>(
  _ arguments: SignalArguments, _ transform: FixedPointTransform, _ table: UnsafePointer<Int32>,
  as type: Code.Type, fractionBits: Int64
) {
  let half = transform.half
  let line = unsafe arguments.scratch.assumingMemoryBound(to: Code.self)
  var row = 0
  while row < arguments.count {
    let input = unsafe arguments.operands.0.assumingMemoryBound(to: Code.self)
      + row &* (2 &* half &+ 2)
    let output = unsafe arguments.results.0.assumingMemoryBound(to: Code.self)
      + row &* 2 &* half
    unsafe join(input, half, table + transform.splitPlace, line, fractionBits)
    var i = 0
    while i < half {
      let source = unsafe 2 &* Int(table[i])
      unsafe output[2 &* i] = line[source]
      unsafe output[2 &* i &+ 1] = line[source &+ 1]
      i &+= 1
    }
    unsafe turn(output, half, table + transform.turnsPlace, -1, fractionBits)
    row &+= 1
  }
}

/// The product of two fractions, rounded half up.
@inline(__always)
private func rounded(_ product: Int64, _ fractionBits: Int64) -> Int64 {
  (product &+ (1 &<< (fractionBits &- 1))) &>> fractionBits
}

/// A complex number of codes in wider ones; each result is cut to its code as it is stored.
private struct Turned {
  var real: Int64
  var imaginary: Int64
}

@inline(__always)
@unsafe private func load<Code: FixedWidthInteger & SignedInteger>(
  _ line: UnsafePointer<Code>, _ index: Int, dividedBy divisor: Int64, _ fractionBits: Int64
) -> Turned {
  let factor = ((1 &<< fractionBits) &- 1) / divisor
  return unsafe Turned(
    real: cut(rounded(Int64(line[2 &* index]) &* factor, fractionBits), as: Code.self),
    imaginary: cut(rounded(Int64(line[2 &* index &+ 1]) &* factor, fractionBits), as: Code.self))
}

@inline(__always)
private func cut<Code: FixedWidthInteger & SignedInteger>(
  _ value: Int64, as type: Code.Type
) -> Int64 {
  Int64(Code(truncatingIfNeeded: value))
}

@inline(__always)
@unsafe private func store<Code: FixedWidthInteger & SignedInteger>(
  _ real: Int64, _ imaginary: Int64, _ line: UnsafeMutablePointer<Code>, _ index: Int
) {
  unsafe line[2 &* index] = Code(truncatingIfNeeded: real)
  unsafe line[2 &* index &+ 1] = Code(truncatingIfNeeded: imaginary)
}

@inline(__always)
@unsafe private func product<Code: FixedWidthInteger & SignedInteger>(
  _ a: Turned, _ turn: UnsafePointer<Int32>, _ fractionBits: Int64, as type: Code.Type
) -> Turned {
  let (real, imaginary) = unsafe (Int64(turn[0]), Int64(turn[1]))
  return Turned(
    real: cut(
      rounded(a.real &* real &- a.imaginary &* imaginary, fractionBits), as: Code.self),
    imaginary: cut(
      rounded(a.real &* imaginary &+ a.imaginary &* real, fractionBits), as: Code.self))
}

/// Steps of two over neighbours, whose turn is the whole one.
@inline(__always)
@unsafe private func pairs<Code: FixedWidthInteger & SignedInteger>(
  _ line: UnsafeMutablePointer<Code>, _ half: Int, _ fractionBits: Int64
) {
  let one = ((Int64(1) &<< fractionBits) &- 1)
  var i = 0
  while i < half {
    let a = unsafe load(line, i, dividedBy: 2, fractionBits)
    let b = unsafe load(line, i &+ 1, dividedBy: 2, fractionBits)
    let real = cut(rounded(b.real &* one, fractionBits), as: Code.self)
    let imaginary = cut(rounded(b.imaginary &* one, fractionBits), as: Code.self)
    unsafe store(a.real &- real, a.imaginary &- imaginary, line, i &+ 1)
    unsafe store(a.real &+ real, a.imaginary &+ imaginary, line, i)
    i &+= 2
  }
}

/// Steps of four over numbers `length` apart.
@inline(__always)
@unsafe private func quarters<Code: FixedWidthInteger & SignedInteger>(
  _ line: UnsafeMutablePointer<Code>, _ length: Int, _ half: Int, _ turns: UnsafePointer<Int32>,
  _ sign: Int64, _ fractionBits: Int64
) {
  let stride = half / (4 &* length)
  var block = 0
  while block < half {
    var k = 0
    while k < length {
      let i = block &+ k
      let a = unsafe load(line, i, dividedBy: 4, fractionBits)
      let b = unsafe product(
        load(line, i &+ length, dividedBy: 4, fractionBits), turns + 2 &* k &* stride,
        fractionBits, as: Code.self)
      let c = unsafe product(
        load(line, i &+ 2 &* length, dividedBy: 4, fractionBits), turns + 4 &* k &* stride,
        fractionBits, as: Code.self)
      let d = unsafe product(
        load(line, i &+ 3 &* length, dividedBy: 4, fractionBits), turns + 6 &* k &* stride,
        fractionBits, as: Code.self)
      let (evenReal, evenImaginary) = (a.real &+ c.real, a.imaginary &+ c.imaginary)
      let (oddReal, oddImaginary) = (a.real &- c.real, a.imaginary &- c.imaginary)
      let (sumReal, sumImaginary) = (b.real &+ d.real, b.imaginary &+ d.imaginary)
      let restReal = sign &* (b.real &- d.real)
      let restImaginary = sign &* (b.imaginary &- d.imaginary)
      unsafe store(evenReal &+ sumReal, evenImaginary &+ sumImaginary, line, i)
      unsafe store(oddReal &+ restImaginary, oddImaginary &- restReal, line, i &+ length)
      unsafe store(evenReal &- sumReal, evenImaginary &- sumImaginary, line, i &+ 2 &* length)
      unsafe store(oddReal &- restImaginary, oddImaginary &+ restReal, line, i &+ 3 &* length)
      k &+= 1
    }
    block &+= 4 &* length
  }
}

/// The spectrum of real numbers out of that of them taken as complex ones.
@inline(__always)
@unsafe private func split<Code: FixedWidthInteger & SignedInteger>(
  _ line: UnsafeMutablePointer<Code>, _ half: Int, _ turns: UnsafePointer<Int32>,
  _ output: UnsafeMutablePointer<Code>, _ fractionBits: Int64
) {
  let first = unsafe load(line, 0, dividedBy: 2, fractionBits)
  unsafe store(first.real &+ first.imaginary, 0, output, 0)
  unsafe store(first.real &- first.imaginary, 0, output, half)
  var k = 1
  while k <= half / 2 {
    let a = unsafe load(line, k, dividedBy: 2, fractionBits)
    var b = unsafe load(line, half &- k, dividedBy: 2, fractionBits)
    // The negated code is what is halved, and rounds the other way.
    let factor = ((Int64(1) &<< fractionBits) &- 1) / 2
    let negated = unsafe cut(0 &- Int64(line[2 &* (half &- k) &+ 1]), as: Code.self)
    b.imaginary = cut(rounded(negated &* factor, fractionBits), as: Code.self)
    let sum = Turned(
      real: cut(a.real &+ b.real, as: Code.self),
      imaginary: cut(a.imaginary &+ b.imaginary, as: Code.self))
    let rest = Turned(
      real: cut(a.real &- b.real, as: Code.self),
      imaginary: cut(a.imaginary &- b.imaginary, as: Code.self))
    let turned = unsafe product(rest, turns + 2 &* (k &- 1), fractionBits, as: Code.self)
    unsafe store(
      (sum.real &+ turned.real) &>> 1, (sum.imaginary &+ turned.imaginary) &>> 1, output, k)
    unsafe store(
      (sum.real &- turned.real) &>> 1, (turned.imaginary &- sum.imaginary) &>> 1, output,
      half &- k)
    k &+= 1
  }
}

/// What `split` takes apart, of the halves of the codes.
@inline(__always)
@unsafe private func join<Code: FixedWidthInteger & SignedInteger>(
  _ input: UnsafePointer<Code>, _ half: Int, _ turns: UnsafePointer<Int32>,
  _ line: UnsafeMutablePointer<Code>, _ fractionBits: Int64
) {
  let factor = ((Int64(1) &<< fractionBits) &- 1) / 2
  let (first, last) = unsafe (Int64(input[0]), Int64(input[2 &* half]))
  unsafe store(
    rounded(cut(first &+ last, as: Code.self) &* factor, fractionBits),
    rounded(cut(first &- last, as: Code.self) &* factor, fractionBits), line, 0)
  var k = 1
  while k <= half / 2 {
    let a = unsafe load(input, k, dividedBy: 2, fractionBits)
    var b = unsafe load(input, half &- k, dividedBy: 2, fractionBits)
    let negated = unsafe cut(0 &- Int64(input[2 &* (half &- k) &+ 1]), as: Code.self)
    b.imaginary = cut(rounded(negated &* factor, fractionBits), as: Code.self)
    let sum = Turned(
      real: cut(a.real &+ b.real, as: Code.self),
      imaginary: cut(a.imaginary &+ b.imaginary, as: Code.self))
    let rest = Turned(
      real: cut(a.real &- b.real, as: Code.self),
      imaginary: cut(a.imaginary &- b.imaginary, as: Code.self))
    let turned = unsafe product(rest, turns + 2 &* (k &- 1), fractionBits, as: Code.self)
    unsafe store(sum.real &+ turned.real, sum.imaginary &+ turned.imaginary, line, k)
    // In the middle both are one, and the latter stays.
    unsafe store(
      sum.real &- turned.real, turned.imaginary &- sum.imaginary, line, half &- k)
    k &+= 1
  }
}

@unsafe private func transformRealRows(
  _ arguments: SignalArguments, _ length: Int, _ inputs: Int
) {
  guard let turns = unsafe arguments.operands.1?.assumingMemoryBound(to: Double.self) else {
    return
  }
  let line = unsafe arguments.scratch.assumingMemoryBound(to: Double.self)
  var row = 0
  while row < arguments.count {
    let input = unsafe arguments.operands.0.assumingMemoryBound(to: Float.self) + row &* inputs
    let output = unsafe arguments.results.0.assumingMemoryBound(to: Float.self)
      + row &* (length &+ 2)
    var i = 0
    while i < length {
      unsafe line[2 &* i] = i < inputs ? Double(input[i]) : 0
      unsafe line[2 &* i &+ 1] = 0
      i &+= 1
    }
    unsafe transform(line, length, turns, 1)
    i = 0
    while i < length &+ 2 {
      unsafe output[i] = Float(line[i])
      i &+= 1
    }
    row &+= 1
  }
}

/// The transform of the spectrum's conjugate is what it came from, times its length.
@unsafe private func restoreRealRows(_ arguments: SignalArguments, _ length: Int) {
  guard let turns = unsafe arguments.operands.1?.assumingMemoryBound(to: Double.self) else {
    return
  }
  let line = unsafe arguments.scratch.assumingMemoryBound(to: Double.self)
  var row = 0
  while row < arguments.count {
    let input = unsafe arguments.operands.0.assumingMemoryBound(to: Float.self)
      + row &* (length &+ 2)
    let output = unsafe arguments.results.0.assumingMemoryBound(to: Float.self)
      + row &* length
    var i = 0
    while i < length {
      let isSecond = i > length / 2
      let place = 2 &* (isSecond ? length &- i : i)
      let imaginary = unsafe Double(input[place &+ 1])
      unsafe line[2 &* i] = Double(input[place])
      unsafe line[2 &* i &+ 1] = isSecond ? imaginary : -imaginary
      i &+= 1
    }
    unsafe transform(line, length, turns, 1)
    i = 0
    while i < length {
      unsafe output[i] = Float(line[2 &* i] / Double(length))
      i &+= 1
    }
    row &+= 1
  }
}

// MARK: Frames

@unsafe private func overlapAdd(_ arguments: SignalArguments, _ sizes: OverlapSizes) {
  guard let old = unsafe arguments.operands.1, let next = unsafe arguments.results.1 else {
    return
  }
  let (input, output) = unsafe (arguments.operands.0, arguments.results.0)
  let (size, step) = (sizes.size, sizes.step)
  var row = 0
  while row < arguments.count {
    let (frames, sums) = (row &* sizes.frames, row &* size)
    if sizes.isReal {
      unsafe overlapAdd(
        input.assumingMemoryBound(to: Float.self) + frames &* size, sizes,
        old.assumingMemoryBound(to: Float.self) + sums,
        next.assumingMemoryBound(to: Float.self) + sums,
        output.assumingMemoryBound(to: Float.self) + frames &* step, Float(0)
      ) { $0 + $1 }
    } else {
      unsafe overlapAdd(
        input.assumingMemoryBound(to: Int16.self) + frames &* size, sizes,
        old.assumingMemoryBound(to: Int16.self) + sums,
        next.assumingMemoryBound(to: Int16.self) + sums,
        output.assumingMemoryBound(to: Int16.self) + frames &* step, Int16(0)
      ) { saturated16(Int32($0) &+ Int32($1)) }
    }
    row &+= 1
  }
}

/// Adds one frame after the other to the sums, whose first `step` are complete then and give way.
@inline(__always)
@unsafe private func overlapAdd<Element: BitwiseCopyable>(
  _ input: UnsafePointer<Element>, _ sizes: OverlapSizes, _ old: UnsafePointer<Element>,
  _ sums: UnsafeMutablePointer<Element>, _ output: UnsafeMutablePointer<Element>,
  _ zero: Element, _ add: (Element, Element) -> Element
) {
  let (size, step) = (sizes.size, sizes.step)
  var i = 0
  while i < size {
    unsafe sums[i] = old[i]
    i &+= 1
  }
  var frame = 0
  while frame < sizes.frames {
    i = 0
    while i < size {
      let sum = unsafe add(sums[i], input[frame &* size &+ i])
      if i < step {
        unsafe output[frame &* step &+ i] = sum
      } else {
        unsafe sums[i &- step] = sum
      }
      i &+= 1
    }
    i = size &- step
    while i < size {
      unsafe sums[i] = zero
      i &+= 1
    }
    frame &+= 1
  }
}

// MARK: Filter banks

@unsafe private func filterBank(_ arguments: SignalArguments) {
  let operands = unsafe arguments.operands
  guard let rising = unsafe operands.1?.assumingMemoryBound(to: Int16.self),
    let falling = unsafe operands.2?.assumingMemoryBound(to: Int16.self),
    let starts = unsafe operands.3?.assumingMemoryBound(to: Int16.self),
    let weightStarts = unsafe operands.4?.assumingMemoryBound(to: Int16.self),
    let widths = unsafe operands.5?.assumingMemoryBound(to: Int16.self)
  else { return }
  let input = unsafe operands.0.assumingMemoryBound(to: UInt32.self)
  let output = unsafe arguments.results.0.assumingMemoryBound(to: UInt64.self)
  var sum: UInt64 = 0
  var channel = 0
  while channel <= arguments.count {
    var next: UInt64 = 0
    let (start, first) = unsafe (Int(starts[channel]), Int(weightStarts[channel]))
    var j = 0
    while unsafe j < Int(widths[channel]) {
      let value = unsafe UInt64(input[start &+ j])
      unsafe sum &+= UInt64(bitPattern: Int64(rising[first &+ j])) &* value
      unsafe next &+= UInt64(bitPattern: Int64(falling[first &+ j])) &* value
      j &+= 1
    }
    // The triangle before the first channel has but its falling side.
    if channel > 0 { unsafe output[channel &- 1] = sum }
    sum = next
    channel &+= 1
  }
}

/// The root, rounded where that does not take one bit more.
private func roundedRoot(_ value: UInt64) -> UInt32 {
  var (rest, root, bit) = (value, UInt64(0), UInt64(1) << 62)
  while bit > 0 {
    if rest >= root &+ bit {
      rest &-= root &+ bit
      root = (root >> 1) &+ bit
    } else {
      root >>= 1
    }
    bit >>= 2
  }
  let greatest: UInt64 = value >> 32 == 0 ? 0xFFFF : 0xFFFF_FFFF
  return UInt32(truncatingIfNeeded: rest > root && root != greatest ? root &+ 1 : root)
}

@unsafe private func subtractNoise(_ arguments: SignalArguments, _ weights: NoiseWeights) {
  guard let old = unsafe arguments.operands.1?.assumingMemoryBound(to: UInt32.self),
    let next = unsafe arguments.results.1?.assumingMemoryBound(to: UInt32.self)
  else { return }
  let input = unsafe arguments.operands.0.assumingMemoryBound(to: UInt32.self)
  let output = unsafe arguments.results.0.assumingMemoryBound(to: UInt32.self)
  let bits = UInt64(weights.bits)
  var i = 0
  while i < arguments.count {
    let value = unsafe input[i]
    let fine = value &<< weights.smoothingBits
    let sum = unsafe UInt64(fine) &* UInt64(weights.smoothing[i & 1])
      &+ UInt64(old[i]) &* UInt64(weights.keeping[i & 1])
    let estimate = UInt32(truncatingIfNeeded: sum &>> bits)
    let bounded = min(estimate, fine)
    unsafe next[i] = weights.clamps ? bounded : estimate
    let least = UInt32(
      truncatingIfNeeded: (UInt64(value) &* UInt64(weights.minimumRemaining)) &>> bits)
    unsafe output[i] = max((fine &- bounded) &>> weights.smoothingBits, least)
    i &+= 1
  }
}

@unsafe private func controlGain(_ arguments: SignalArguments, _ shift: UInt64) {
  guard let noise = unsafe arguments.operands.1?.assumingMemoryBound(to: UInt32.self),
    let gains = unsafe arguments.operands.2?.assumingMemoryBound(to: Int16.self)
  else { return }
  let input = unsafe arguments.operands.0.assumingMemoryBound(to: UInt32.self)
  let output = unsafe arguments.results.0.assumingMemoryBound(to: UInt32.self)
  var i = 0
  while i < arguments.count {
    let gain = UInt64(UInt32(bitPattern: Int32(unsafe gainOfNoise(noise[i], gains))))
    let ratio = unsafe UInt32(truncatingIfNeeded: (UInt64(input[i]) &* gain) &>> shift)
    // 12 bits behind the point become 6: a square up to 2, a line beyond.
    unsafe output[i] =
      ratio < 2 << 12 ? (ratio &* ratio) >> 20 : (ratio >> 6) &- (1 << 6)
    i &+= 1
  }
}

/// A parabola for each power of two.
@unsafe private func gainOfNoise(_ noise: UInt32, _ gains: UnsafePointer<Int16>) -> Int16 {
  if noise <= 2 { return unsafe gains[Int(noise)] }
  let bits = 32 &- noise.leadingZeroBitCount
  let place = unsafe gains + (4 &* bits &- 6)
  let shifted =
    bits < 11 ? noise &<< UInt32(11 &- bits) : noise &>> UInt32(bits &- 11)
  let fraction = Int32(shifted & 0x3FF)
  var result = unsafe (Int32(place[2]) &* fraction) >> 5
  unsafe result &+= Int32(place[1]) &<< 5
  result &*= fraction
  result = (result &+ (1 << 14)) >> 15
  return unsafe Int16(truncatingIfNeeded: result &+ Int32(place[0]))
}

/// The natural logarithm of a number above 0, by its binary one, a line for each 128th.
@unsafe private func logarithm(
  _ value: UInt32, _ scale: UInt32, _ table: UnsafePointer<Int32>
) -> UInt32 {
  let whole = 31 &- value.leadingZeroBitCount
  let rest = value &- (1 &<< UInt32(whole))
  let fraction = Int32(
    bitPattern: whole < 16 ? rest &<< UInt32(16 &- whole) : rest &>> UInt32(whole &- 16))
  let segment = fraction >> 9
  let (low, high) = unsafe (table[Int(segment)], table[Int(segment) &+ 1])
  let slope = ((high &- low) &* (fraction &- segment &* 512)) >> 16
  let binary = UInt64(UInt32(whole) << 16) &+ UInt64(UInt32(bitPattern: fraction &+ low &+ slope))
  // ln 2 in 65536ths.
  let natural = UInt32(truncatingIfNeeded: (45426 &* binary &+ 32768) >> 16)
  return (scale &* natural &+ 32768) >> 16
}
