import KernelInterface

/// The steps of audio front ends, in integers but where they take float32, so that every processor gives the same bits.
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
  case .spectrum, .inverseSpectrum, .realSpectrum, .inverseRealSpectrum: signalSpectrum(arguments)
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
