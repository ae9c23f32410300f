import KernelInterface
import Kernels
import Tensors

// Runs the kernels of one table on seeded input and prints a checksum for each integer kernel, which is to be the same on
// every instruction set, and the largest error of each float kernel against a plain loop in double precision.

/// A small seeded generator: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct Random {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func code() -> Int8 { Int8(truncatingIfNeeded: next()) }
  /// In −1 ..< 1.
  mutating func real() -> Float { Float(Int32(truncatingIfNeeded: next() >> 40)) / 0x1p23 - 1 }
}

/// Zeroed, 64-byte aligned memory that the program keeps until it ends.
func memory<T>(_ count: Int, _ type: T.Type) -> UnsafeMutablePointer<T> {
  let bytes = max(count, 1) * MemoryLayout<T>.stride
  let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
  unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
  return unsafe raw.assumingMemoryBound(to: T.self)
}

/// FNV-1a of bytes, as text.
func checksum(_ bytes: UnsafeMutablePointer<Int8>, _ count: Int) -> String {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for i in 0..<count {
    hash = unsafe (hash ^ UInt64(UInt8(bitPattern: bytes[i]))) &* 0x100_0000_01B3
  }
  return String(hash, radix: 16)
}

let table = makeKernelTable()

let geometries = [
  WindowGeometry(rows: 1, inputDepth: 63, outputDepth: 37),
  WindowGeometry(rows: 31, inputDepth: 17, outputDepth: 16),
  WindowGeometry(
    batch: 2, inputHeight: 9, inputWidth: 7, inputChannels: 19, outputHeight: 5, outputWidth: 4,
    outputChannels: 19, kernelHeight: 3, kernelWidth: 3, strideHeight: 2, strideWidth: 2,
    paddingTop: 1, paddingLeft: 1),
]

func checkConvolutionInt8(
  _ geometry: WindowGeometry, isDepthwise: Bool, isPositive: Bool
) -> String {
  var random = Random(state: 0xA64)
  let channels = geometry.outputChannels
  let depth = isDepthwise ? geometry.taps : geometry.depth
  let inputCount =
    geometry.batch * geometry.inputHeight * geometry.inputWidth * geometry.inputChannels
  let input = unsafe memory(inputCount, Int8.self)
  for i in 0..<inputCount { unsafe input[i] = random.code() }
  let weights = unsafe memory(depth * channels, Int8.self)
  for i in 0..<depth * channels { unsafe weights[i] = random.code() }
  let scales = unsafe memory(channels, Float.self)
  let bias = unsafe memory(channels, Int32.self)
  for i in 0..<channels {
    unsafe scales[i] = 0.001 * (random.real() + 1.5)
    unsafe bias[i] = Int32(random.code()) * 100
  }
  let packed = unsafe memory(
    isDepthwise
      ? table.depthwiseInt8Weights(geometry).byteCount
      : table.convolutionInt8Weights(geometry).byteCount, UInt8.self)
  let pack = unsafe PackInt8Arguments(
    weights: weights, outputChannels: channels, depth: depth,
    lines: isDepthwise ? geometry.depthwiseLines : geometry.windowLines,
    scales: UnsafeBufferPointer(start: scales, count: channels), bias: bias, inputZeroPoint: 5,
    destination: packed)
  let outputCount = geometry.outputRows * channels
  let output = unsafe memory(outputCount, Int8.self)
  let scratch = unsafe memory(
    isDepthwise
      ? table.depthwiseInt8ScratchBytes(geometry) : table.convolutionInt8ScratchBytes(geometry),
    UInt8.self)
  let arguments = unsafe ConvolutionInt8Arguments(
    geometry: geometry, input: input, weights: packed, output: output, inputZeroPoint: 5,
    bounds: isPositive
      ? OutputBoundsInt8(zeroPoint: -128)
      : OutputBoundsInt8(zeroPoint: -3, minimum: -128, maximum: 120),
    scalesAreBelowHalf: true, scratch: scratch)
  let all = WorkRange(rows: 0..<geometry.outputRows, panels: 0..<(channels + 15) / 16)
  if isDepthwise {
    table.packDepthwiseInt8(pack)
    table.depthwiseInt8(arguments, all)
  } else {
    table.packConvolutionInt8(pack)
    table.convolutionInt8(arguments, all)
  }
  return unsafe checksum(output, outputCount)
}

func checkBinaryInt8(_ operation: BinaryOperation) -> String {
  var random = Random(state: 0xB64)
  let count = 1001
  let (left, right) = unsafe (memory(count, Int8.self), memory(count, Int8.self))
  let output = unsafe memory(count, Int8.self)
  for i in 0..<count {
    unsafe left[i] = random.code()
    unsafe right[i] = random.code()
  }
  unsafe table.binaryInt8(
    BinaryInt8Arguments(
      parameters: BinaryInt8Parameters(
        operation, left: (0.031, 4), right: (0.012, -9), outputScale: 0.026,
        bounds: OutputBoundsInt8(zeroPoint: 1)), rows: 1, columns: count, left: left,
      leftStrides: OperandStrides(row: count, column: 1), right: right,
      rightStrides: OperandStrides(row: count, column: 1), output: output))
  return unsafe checksum(output, count)
}

func checkSquaredDifferences() -> String {
  var random = Random(state: 0xF64)
  let count = 1001
  let (left, right) = unsafe (memory(count, Int8.self), memory(count, Int8.self))
  let output = unsafe memory(count + 7, Int8.self)
  for i in 0..<count {
    unsafe left[i] = random.code()
    unsafe right[i] = random.code()
  }
  unsafe table.general.binary(
    BinaryElementsArguments(
      operation: .squaredDifference, type: .int8, leftScheme: CodeScheme(scale: 0.031, zeroPoint: 4),
      rightScheme: CodeScheme(scale: 0.012, zeroPoint: -9),
      outputScheme: CodeScheme(scale: 0.2, zeroPoint: -100), bounds: OutputBoundsFloat32(), rows: 1,
      columns: count, left: left, leftStrides: OperandStrides(row: count, column: 1), right: right,
      rightStrides: OperandStrides(row: count, column: 1), output: output))
  unsafe table.meanInt8(
    MeanInt8Arguments(
      shape: ReductionShape(outer: 7, reduced: 143, inner: 1), input: output, inputZeroPoint: -100,
      scale: FixedPointScale(1.3, dividedBy: 143), bounds: OutputBoundsInt8(zeroPoint: 2),
      output: output + count), 0..<7)
  return unsafe checksum(output, count + 7)
}

/// Whether weights that lie `[depth][channels]` are packed as the same weights the other way round.
func packsAlike(_ depth: Int, _ channels: Int) -> Bool {
  var random = Random(state: 0x164)
  let geometry = WindowGeometry(rows: 1, inputDepth: depth, outputDepth: channels)
  let (along, across) = unsafe (
    memory(depth * channels, Int8.self), memory(depth * channels, Int8.self)
  )
  for k in 0..<depth {
    for channel in 0..<channels {
      let code = random.code()
      unsafe along[channel * depth + k] = code
      unsafe across[k * channels + channel] = code
    }
  }
  let scale = unsafe memory(1, Float.self)
  let byteCount = table.convolutionInt8Weights(geometry).byteCount
  let packed = unsafe (memory(byteCount, Int8.self), memory(byteCount, Int8.self))
  var arguments = unsafe PackInt8Arguments(
    weights: along, outputChannels: channels, depth: depth, lines: 1,
    scales: UnsafeBufferPointer(start: scale, count: 1), weightZeroPoint: 3, bias: nil,
    inputZeroPoint: 5, destination: packed.0)
  table.packConvolutionInt8(arguments)
  unsafe arguments.weights = UnsafePointer(across)
  (arguments.channelStride, arguments.depthStride) = (1, channels)
  unsafe arguments.destination = UnsafeMutableRawPointer(packed.1)
  table.packConvolutionInt8(arguments)
  return unsafe checksum(packed.0, byteCount) == checksum(packed.1, byteCount)
}

func checkPools() -> String {
  var random = Random(state: 0xC64)
  let geometry = WindowGeometry(
    batch: 1, inputHeight: 9, inputWidth: 9, inputChannels: 21, outputHeight: 5, outputWidth: 5,
    outputChannels: 21, kernelHeight: 3, kernelWidth: 3, strideHeight: 2, strideWidth: 2,
    paddingTop: 1, paddingLeft: 1)
  let count = 81 * 21
  let input = unsafe memory(count, Int8.self)
  for i in 0..<count { unsafe input[i] = random.code() }
  let output = unsafe memory(2 * 25 * 21 + 21, Int8.self)
  unsafe table.averagePoolInt8(
    PoolingInt8Arguments(geometry: geometry, input: input, output: output), 0..<25)
  unsafe table.maximumPoolInt8(
    PoolingInt8Arguments(geometry: geometry, input: input, output: output + 25 * 21), 0..<25)
  unsafe table.meanInt8(
    MeanInt8Arguments(
      shape: ReductionShape(outer: 1, reduced: 81, inner: 21), input: input, inputZeroPoint: -7,
      scale: FixedPointScale(1.3, dividedBy: 81), bounds: OutputBoundsInt8(zeroPoint: 2),
      output: output + 50 * 21), 0..<1)
  return unsafe checksum(output, 51 * 21)
}

func checkConversions() -> String {
  var random = Random(state: 0xD64)
  let count = 1003
  let real = unsafe memory(count, Float.self)
  for i in 0..<count { unsafe real[i] = random.real() * 20 }
  let output = unsafe memory(4 * count, Int8.self)
  unsafe table.quantizeInt8(
    QuantizeArguments(
      scale: 0.1, bounds: OutputBoundsInt8(zeroPoint: 3), count: count, input: real, output: output))
  unsafe table.requantizeInt8(
    RequantizeArguments(
      scale: 1.37, inputZeroPoint: 3, bounds: OutputBoundsInt8(zeroPoint: -4), count: count,
      input: output, output: output + count))
  let exponentials = SoftmaxTableInt8(inputScale: 0.06, beta: 1)
  unsafe exponentials.entries.withUnsafeBufferPointer { entries in
    unsafe table.softmaxInt8(
      SoftmaxInt8Arguments(
        table: entries.baseAddress!, columns: 17, input: output, output: output + 2 * count),
      0..<59)
  }
  let (scales, zeroPoints) = unsafe (memory(59, Float.self), memory(59, Int32.self))
  unsafe table.quantizeRows(
    QuantizeRowsArguments(
      isSymmetric: false, columns: 17, input: real, output: output + 3 * count, scales: scales,
      zeroPoints: zeroPoints), 0..<59)
  return unsafe checksum(output, 4 * count)
}

/// The largest error in units of 2⁻²⁴ of the sum of magnitudes and of the depth; summation in any order stays below 1.
func checkConvolutionFloat32(_ rows: Int, _ depth: Int, _ channels: Int) -> Double {
  var random = Random(state: 0xE64)
  let geometry = WindowGeometry(rows: rows, inputDepth: depth, outputDepth: channels)
  let input = unsafe memory(rows * depth, Float.self)
  for i in 0..<rows * depth { unsafe input[i] = random.real() }
  let weights = unsafe memory(channels * depth, Float.self)
  for i in 0..<channels * depth { unsafe weights[i] = random.real() }
  let packed = unsafe memory(table.convolutionFloat32Weights(geometry).byteCount, UInt8.self)
  unsafe table.packConvolutionFloat32(
    PackFloat32Arguments(
      weights: weights, outputChannels: channels, depth: depth, bias: nil, destination: packed))
  let output = unsafe memory(rows * channels, Float.self)
  let scratch = unsafe memory(table.convolutionFloat32ScratchBytes(geometry), UInt8.self)
  unsafe table.convolutionFloat32(
    ConvolutionFloat32Arguments(
      geometry: geometry, input: input, weights: packed, output: output,
      bounds: OutputBoundsFloat32(), scratch: scratch),
    WorkRange(rows: 0..<rows, panels: 0..<(channels + 15) / 16))
  var worst = 0.0
  for row in 0..<rows {
    for channel in 0..<channels {
      var (sum, magnitude) = (0.0, 0.0)
      for k in 0..<depth {
        let term = unsafe Double(input[row * depth + k]) * Double(weights[channel * depth + k])
        sum += term
        magnitude += term < 0 ? -term : term
      }
      let error = unsafe Double(output[row * channels + channel]) - sum
      let unit = magnitude * Double(depth + 2) * 0x1p-24
      worst = max(worst, (error < 0 ? -error : error) / unit)
    }
  }
  return worst
}

/// The largest relative error of a function, in units of 2⁻²³.
func checkUnary(_ operation: UnaryOperation, _ function: (Double) -> Double) -> Double {
  let count = 4001
  let (input, output) = unsafe (memory(count, Float.self), memory(count, Float.self))
  for i in 0..<count { unsafe input[i] = Float(i - 2000) / 100 }
  unsafe table.unaryFloat32(
    UnaryArguments(operation: operation, count: count, input: input, output: output))
  var worst = 0.0
  for i in 0..<count {
    let expected = unsafe function(Double(input[i]))
    let error = unsafe Double(output[i]) - expected
    let magnitude = expected < 0 ? -expected : expected
    if magnitude > 0 { worst = max(worst, (error < 0 ? -error : error) / magnitude * 0x1p23) }
  }
  return worst
}

print("table " + table.name)
for (isPositive, suffix) in [(false, " "), (true, " positive ")] {
  for (i, geometry) in geometries.enumerated() {
    let sum = checkConvolutionInt8(geometry, isDepthwise: false, isPositive: isPositive)
    print("convolutionInt8 " + String(i) + suffix + sum)
  }
  let sum = checkConvolutionInt8(geometries[2], isDepthwise: true, isPositive: isPositive)
  print("depthwiseInt8" + suffix + sum)
}
print("addInt8 " + checkBinaryInt8(.add))
print("multiplyInt8 " + checkBinaryInt8(.multiply))
print("squaredDifferenceInt8 " + checkSquaredDifferences())
print("poolInt8 " + checkPools())
print("conversions " + checkConversions())
let claims = [
  ("weights across and along are packed alike", packsAlike(37, 21) && packsAlike(64, 32)),
  ("convolutionFloat32 within the bound of summation", checkConvolutionFloat32(13, 65, 35) < 1),
  ("convolutionFloat32 of one row likewise", checkConvolutionFloat32(1, 129, 20) < 1),
  ("exponential within 2 units", checkUnary(.exponential, exponential) < 2),
  ("logistic within 4 units", checkUnary(.logistic, logistic) < 4),
  ("tanh within 4 units", checkUnary(.tanh, hyperbolicTangent) < 4),
]
for (name, holds) in claims { print((holds ? "holds: " : "FAILS: ") + name) }
