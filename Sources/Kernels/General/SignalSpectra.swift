import KernelInterface

/// The Fourier transforms of audio front ends and their inverses: of codes in integers, of real numbers in double
/// precision. Other steps are `signal`'s.
///
/// - Source: the arithmetic of the signal library of TensorFlow Lite for Microcontrollers.
func signalSpectrum(_ arguments: SignalArguments) {
  // Sound: the maker of the arguments vouches for the pointers' types and extents.
  let table = unsafe arguments.operands.1
  switch arguments.step {
  case .spectrum(let transform, let inputs):
    guard let table = unsafe table?.assumingMemoryBound(to: Int32.self) else { return }
    if transform.isWide {
      unsafe transformRows(
        arguments, transform, inputs, table, as: Int32.self, fractionBits: 31)
    } else {
      unsafe transformRows(
        arguments, transform, inputs, table, as: Int16.self, fractionBits: 15)
    }
  case .inverseSpectrum(let transform):
    guard let table = unsafe table?.assumingMemoryBound(to: Int32.self) else { return }
    if transform.isWide {
      unsafe restoreRows(arguments, transform, table, as: Int32.self, fractionBits: 31)
    } else {
      unsafe restoreRows(arguments, transform, table, as: Int16.self, fractionBits: 15)
    }
  case .realSpectrum(let length, let inputs):
    unsafe transformRealRows(arguments, length, inputs)
  case .inverseRealSpectrum(let length): unsafe restoreRealRows(arguments, length)
  default: break
  }
}

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

/// What `split` and `join` make of places `k` and `half − k` alike: the sum of the one and the other's conjugate, and
/// their difference turned.
@inline(__always)
@unsafe private func mirrored<Code: FixedWidthInteger & SignedInteger>(
  _ line: UnsafePointer<Code>, _ k: Int, _ half: Int, _ turns: UnsafePointer<Int32>,
  _ fractionBits: Int64
) -> (sum: Turned, turned: Turned) {
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
  return unsafe (sum, product(rest, turns + 2 &* (k &- 1), fractionBits, as: Code.self))
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
    let (sum, turned) = unsafe mirrored(line, k, half, turns, fractionBits)
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
    let (sum, turned) = unsafe mirrored(input, k, half, turns, fractionBits)
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
