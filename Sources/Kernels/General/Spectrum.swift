import CVector
import KernelInterface

/// `X[u, v] = Σ x[r, c] · exp(−2πi (u r / height + v c / width))` for `v` up to half the width, in double precision as
/// the reference has it; `pictures` counts the input's.
///
/// Two real numbers of a line go through the transform as one complex one, of half the length.
func spectrum(_ arguments: SpectrumArguments, _ pictures: Range<Int>) {
  let bins = arguments.width / 2 &+ 1
  var picture = pictures.lowerBound
  // Sound: the maker of the arguments vouches for the pointers, and for scratch of the stated size.
  while picture < pictures.upperBound {
    let frequencies = unsafe arguments.scratch
    let line = unsafe arguments.scratch + 2 &* arguments.height &* bins
    var row = 0
    while row < arguments.height {
      unsafe transformRow(arguments, picture, row, line, frequencies + 2 &* row &* bins)
      row &+= 1
    }
    if arguments.height > 1 { unsafe transformColumns(arguments, bins, line, frequencies) }
    let output = unsafe arguments.output + 2 &* picture &* arguments.height &* bins
    var i = 0
    while i < 2 &* arguments.height &* bins {
      unsafe output[i] = Float(frequencies[i])
      i &+= 1
    }
    picture &+= 1
  }
}

@unsafe private func transformRow(
  _ arguments: SpectrumArguments, _ picture: Int, _ row: Int,
  _ line: UnsafeMutablePointer<Double>, _ output: UnsafeMutablePointer<Double>
) {
  let (width, half) = (arguments.width, arguments.width / 2)
  let input = unsafe arguments.input
    + (picture &* arguments.inputHeight &+ row) &* arguments.inputWidth
  let given = row < arguments.inputHeight ? min(arguments.inputWidth, width) : 0
  if half == 0 {
    unsafe output[0] = given > 0 ? Double(input[0]) : 0
    unsafe output[1] = 0
    return
  }
  var i = 0
  while i < width {
    unsafe line[i] = i < given ? Double(input[i]) : 0
    i &+= 1
  }
  unsafe transform(line, half, arguments.turns, 2)
  // The transforms of the even and of the odd numbers are the symmetric and the antisymmetric part.
  var k = 0
  while k <= half {
    let (a, b) = (k == half ? 0 : k, k == 0 ? 0 : half &- k)
    let (aReal, aImaginary) = (unsafe line[2 &* a], unsafe line[2 &* a &+ 1])
    let (bReal, bImaginary) = (unsafe line[2 &* b], unsafe -line[2 &* b &+ 1])
    let (evenReal, evenImaginary) = (0.5 * (aReal + bReal), 0.5 * (aImaginary + bImaginary))
    let (oddReal, oddImaginary) = (0.5 * (aImaginary - bImaginary), 0.5 * (bReal - aReal))
    let (real, imaginary) =
      k == half
      ? (-1.0, 0.0)
      : (unsafe arguments.turns[2 &* k], unsafe arguments.turns[2 &* k &+ 1])
    unsafe output[2 &* k] = evenReal + oddReal * real - oddImaginary * imaginary
    unsafe output[2 &* k &+ 1] = evenImaginary + oddReal * imaginary + oddImaginary * real
    k &+= 1
  }
}

@unsafe private func transformColumns(
  _ arguments: SpectrumArguments, _ bins: Int, _ line: UnsafeMutablePointer<Double>,
  _ frequencies: UnsafeMutablePointer<Double>
) {
  let turns = unsafe arguments.turns + 2 &* (arguments.width / 2)
  var bin = 0
  while bin < bins {
    var row = 0
    while row < arguments.height {
      unsafe line[2 &* row] = frequencies[2 &* (row &* bins &+ bin)]
      unsafe line[2 &* row &+ 1] = frequencies[2 &* (row &* bins &+ bin) &+ 1]
      row &+= 1
    }
    unsafe transform(line, arguments.height, turns, 1)
    row = 0
    while row < arguments.height {
      unsafe frequencies[2 &* (row &* bins &+ bin)] = line[2 &* row]
      unsafe frequencies[2 &* (row &* bins &+ bin) &+ 1] = line[2 &* row &+ 1]
      row &+= 1
    }
    bin &+= 1
  }
}

/// Transforms `count` complex numbers in place, a power of two; `turns` holds those of `step · count`.
@unsafe func transform(
  _ line: UnsafeMutablePointer<Double>, _ count: Int, _ turns: UnsafePointer<Double>, _ step: Int
) {
  unsafe reverseBits(line, count)
  var half = 1
  while half < count {
    let stride = step &* (count / (2 &* half))
    var start = 0
    while start < count {
      var k = 0
      while k < half {
        let (real, imaginary) = unsafe (
          turns[2 &* k &* stride], turns[2 &* k &* stride &+ 1]
        )
        let (a, b) = (2 &* (start &+ k), 2 &* (start &+ k &+ half))
        let oddReal = unsafe line[b] * real - line[b &+ 1] * imaginary
        let oddImaginary = unsafe line[b] * imaginary + line[b &+ 1] * real
        unsafe line[b] = line[a] - oddReal
        unsafe line[b &+ 1] = line[a &+ 1] - oddImaginary
        unsafe line[a] += oddReal
        unsafe line[a &+ 1] += oddImaginary
        k &+= 1
      }
      start &+= 2 &* half
    }
    half &*= 2
  }
}

/// Exchanges each number with that whose index has the same bits in reverse.
@unsafe private func reverseBits(_ line: UnsafeMutablePointer<Double>, _ count: Int) {
  var (i, j) = (1, 0)
  while i < count {
    var bit = count &>> 1
    while j & bit != 0 {
      j ^= bit
      bit &>>= 1
    }
    j |= bit
    if i < j {
      let (real, imaginary) = (unsafe line[2 &* i], unsafe line[2 &* i &+ 1])
      unsafe line[2 &* i] = line[2 &* j]
      unsafe line[2 &* i &+ 1] = line[2 &* j &+ 1]
      unsafe line[2 &* j] = real
      unsafe line[2 &* j &+ 1] = imaginary
    }
    i &+= 1
  }
}

/// The lengths of complex numbers, in double precision on the way, where no square overflows.
func magnitude(_ arguments: MagnitudeArguments) {
  var i = 0
  // Sound: the maker of the arguments vouches for the pointers.
  while i < arguments.count {
    let real = unsafe Double(arguments.input[2 &* i])
    let imaginary = unsafe Double(arguments.input[2 &* i &+ 1])
    unsafe arguments.output[i] = Float((real * real + imaginary * imaginary).squareRoot())
    i &+= 1
  }
}
