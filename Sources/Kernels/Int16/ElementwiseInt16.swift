import KernelInterface

/// Adds, subtracts or multiplies int16 codes, bit by bit as the reference.
func binaryInt16(_ arguments: BinaryInt16Arguments) {
  let parameters = arguments.parameters
  let (left, right) = (FixedPointRatio(parameters.left), FixedPointRatio(parameters.right))
  let output = FixedPointRatio(parameters.output)
  // Sound: the maker of the arguments vouches for the pointers.
  unsafe forEachElement(arguments) { a, b in
    let sum: Int32
    switch parameters.operation {
    case .add: sum = Int32(truncatingIfNeeded: left.apply(a &<< 15) &+ right.apply(b &<< 15))
    case .subtract: sum = Int32(truncatingIfNeeded: left.apply(a &<< 15) &- right.apply(b &<< 15))
    case .multiply: sum = a &* b
    }
    return clampedInt16(output.apply(sum), parameters.minimum, parameters.maximum)
  }
}

@inline(__always)
@unsafe private func forEachElement(
  _ arguments: BinaryInt16Arguments, _ code: (Int32, Int32) -> Int16
) {
  var row = 0
  while row < arguments.rows {
    let left = unsafe arguments.left + row &* arguments.leftStrides.row
    let right = unsafe arguments.right + row &* arguments.rightStrides.row
    let output = unsafe arguments.output + row &* arguments.columns
    var column = 0
    while column < arguments.columns {
      let a = unsafe left[column &* arguments.leftStrides.column]
      let b = unsafe right[column &* arguments.rightStrides.column]
      unsafe output[column] = code(Int32(a), Int32(b))
      column &+= 1
    }
    row &+= 1
  }
}

/// The mean along the middle axis of int16 codes.
func meanInt16(_ arguments: MeanInt16Arguments, _ outer: Range<Int>) {
  let shape = arguments.shape
  let scale = FixedPointRatio(arguments.scale)
  var index = outer.lowerBound
  // Sound: every index stays inside the shape that the maker of the arguments vouches for.
  while index < outer.upperBound {
    var channel = 0
    while channel < shape.inner {
      var place = unsafe arguments.input + (index &* shape.reduced &* shape.inner &+ channel)
      var sum: Int32 = 0
      var k = 0
      while k < shape.reduced {
        unsafe sum &+= Int32(place.pointee)
        unsafe place += shape.inner
        k &+= 1
      }
      unsafe arguments.output[index &* shape.inner &+ channel] = clampedInt16(
        scale.apply(sum), .min, .max)
      channel &+= 1
    }
    index &+= 1
  }
}

/// Between a table's entries: the code's upper 9 bits choose, its lower 7 divide the step.
@inline(__always)
@unsafe private func interpolated(_ table: UnsafePointer<Int16>, _ code: Int32) -> Int32 {
  let index = Int(256 &+ (code &>> 7))
  let base = unsafe Int32(table[index])
  let slope = unsafe Int32(table[index &+ 1]) &- base
  return base &+ ((slope &* (code & 127) &+ 64) &>> 7)
}

/// An int16 function by table.
func lookupInt16(_ arguments: LookupInt16Arguments) {
  var i = 0
  // Sound: `count` elements are read and written, and a table has an entry for every code and one more.
  while i < arguments.count {
    unsafe arguments.output[i] = Int16(
      truncatingIfNeeded: interpolated(arguments.table, Int32(arguments.input[i])))
    i &+= 1
  }
}

/// Softmax of int16 rows by tables of `exp` and `1 / (1 + x)`, bit by bit as the reference.
func softmaxInt16(_ arguments: SoftmaxInt16Arguments, _ rows: Range<Int>) {
  let scale = FixedPointRatio(arguments.scale)
  let columns = arguments.columns
  var row = rows.lowerBound
  // Sound: every index stays inside the rows that the maker of the arguments vouches for.
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    let output = unsafe arguments.output + row &* columns
    var maximum = Int16.min
    var i = 0
    while i < columns {
      maximum = unsafe max(maximum, input[i])
      i &+= 1
    }
    var sum: Int64 = 0
    i = 0
    while i < columns {
      let difference = unsafe Int32(input[i]) &- Int32(maximum)
      let place = min(max(scale.apply(difference) &+ 32767, -32768), 32767)
      let exponential = unsafe interpolated(arguments.tables, Int32(truncatingIfNeeded: place))
      unsafe output[i] = Int16(truncatingIfNeeded: exponential)
      sum &+= Int64(exponential)
      i &+= 1
    }
    unsafe normalize(output, columns, sum: sum, arguments.tables + 513)
    row &+= 1
  }
}

/// Divides a row of exponentials by their sum.
@unsafe private func normalize(
  _ row: UnsafeMutablePointer<Int16>, _ columns: Int, sum: Int64,
  _ reciprocals: UnsafePointer<Int16>
) {
  // The greatest exponential is about 2¹⁵, so the sum is not 0.
  let bounded = UInt32(truncatingIfNeeded: max(min(sum, Int64(Int32.max)), 2))
  let headroom = Int64(bounded.leadingZeroBitCount)
  let shifted = ((Int64(bounded) &<< (headroom &- 1)) &+ (1 << 13)) &>> 14
  let place = min(max(shifted &- (1 << 15) &- (1 << 16), -32768), 32767)
  let reciprocal = unsafe Int64(interpolated(reciprocals, Int32(truncatingIfNeeded: place)))
  let shift = 31 &- headroom
  let half: Int64 = 1 &<< (shift &- 1)
  var i = 0
  while i < columns {
    let product = unsafe (Int64(row[i]) &* reciprocal &+ half) &>> shift
    unsafe row[i] = clampedInt16(product, 0, 32767)
    i &+= 1
  }
}
