import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// Convolutions and matrix products: one kernel family, three combinations of element types.
extension Lowering {
  mutating func lowerConvolution2D(_ parameters: Convolution2D, _ node: Node) throws(RuntimeError) {
    let (input, weights) = (shape(try operand(node, 0)), shape(try operand(node, 1)))
    let geometry = try geometry(
      parameters.window, input: input, height: weights[1], width: weights[2],
      output: shape(node.outputs[0]), node)
    try lowerProduct(
      node, geometry, activation: parameters.activation, kind: .convolution,
      groups: input[3] / weights[3])
  }

  mutating func lowerDepthwise(
    _ parameters: DepthwiseConvolution2D, _ node: Node
  ) throws(RuntimeError) {
    let (input, weights) = (shape(try operand(node, 0)), shape(try operand(node, 1)))
    let geometry = try geometry(
      parameters.window, input: input, height: weights[1], width: weights[2],
      output: shape(node.outputs[0]), node)
    try lowerProduct(node, geometry, activation: parameters.activation, kind: .depthwise)
  }

  mutating func lowerFullyConnected(
    _ parameters: FullyConnected, _ node: Node
  ) throws(RuntimeError) {
    if let size = type(try operand(node, 1)).quantization?.blockSize {
      return try lowerBlockProduct(parameters, blockSize: size, node)
    }
    let weights = shape(try operand(node, 1))
    let geometry = KernelGeometry(
      rows: elements(try operand(node, 0)) / weights[1], inputDepth: weights[1],
      outputDepth: weights[0])
    try lowerProduct(
      node, geometry, activation: parameters.activation, kind: .convolution,
      quantizesAsymmetrically: parameters.quantizesAsymmetrically)
  }

  /// A window over an NHWC tensor, in the kernels' terms.
  func geometry(
    _ window: Window2D, input: Shape, height: Int, width: Int, output: Shape, _ node: Node
  ) throws(RuntimeError) -> KernelGeometry {
    guard
      let placed = window.geometry(
        height: input[1], width: input[2], kernelHeight: height, kernelWidth: width)
    else { throw unsupported(node) }
    let geometry = KernelGeometry(
      batch: input[0], inputHeight: input[1], inputWidth: input[2], inputChannels: input[3],
      outputHeight: output[1], outputWidth: output[2], outputChannels: output[3],
      kernelHeight: height, kernelWidth: width, strideHeight: window.strideHeight,
      strideWidth: window.strideWidth, dilationHeight: window.dilationHeight,
      dilationWidth: window.dilationWidth, paddingTop: placed.top, paddingLeft: placed.left)
    // A column is a line in memory too; kernels work by lines.
    return input[2] == 1 && width == 1 && output[2] == 1 ? geometry.transposed : geometry
  }

  private mutating func lowerProduct(
    _ node: Node, _ geometry: KernelGeometry, activation: Activation, kind: Product.Kind,
    quantizesAsymmetrically: Bool? = nil, groups: Int = 1
  ) throws(RuntimeError) {
    let weights = try operand(node, 1)
    let (bytes, bias) = (graph[weights].constant, node.input(2).flatMap { graph[$0].constant })
    guard bytes.map({ $0.count == type(weights).byteCount }) ?? true else {
      throw unsupported(node)
    }
    var product = Product(
      kind: kind, node: node, geometry: geometry, activation: activation,
      weights: bytes?.aligned(to: 4), bias: bias?.aligned(to: 4))
    product.isComputed = bytes == nil || (node.input(2) != nil && bias == nil)
    let types = (type(try operand(node, 0)).dataType, type(weights).dataType)
    switch (types.0, types.1, type(node.outputs[0]).dataType) {
    case (.float32, .int8, .float32) where groups > 1 && !product.isComputed:
      try lowerHybridGroups(product, groups: groups)
    case _ where groups > 1: throw unsupported(node)
    case (.int8, .int8, .int8), (.int8, .uint8, .int8): try lowerInt8(product)
    case (.float32, .float32, .float32): try lowerFloat32(product)
    case (.int16, .int8, .int16) where !product.isComputed: try lowerInt16(product)
    case (.float32, .int8, .float32) where !product.isComputed:
      try lowerHybrid(product, quantizesAsymmetrically)
    default: throw unsupported(node)
    }
  }
}

/// A convolution, depthwise convolution or fully connected layer on its way to a kernel.
struct Product {
  enum Kind { case convolution, depthwise }

  var kind: Kind
  var node: Node
  var geometry: KernelGeometry
  var activation: Activation
  /// Aligned for any element type; nil where they are computed.
  var weights: ByteView?
  /// Aligned for any element type; nil where the layer has none, or it is computed.
  var bias: ByteView?
  /// Weights or bias are known only when the program runs, and are packed then.
  var isComputed = false

  /// Elements that each output element sums.
  var depth: Int { kind == .convolution ? geometry.depth : geometry.taps }
  /// See `PackInt8Arguments.lines`.
  var lines: Int { kind == .convolution ? geometry.windowLines : geometry.depthwiseLines }
  var outputElements: Int { geometry.outputRows * geometry.outputChannels }
  /// Saturated where the product is beyond an integer.
  var multiplyAccumulates: Int {
    let (product, overflow) = outputElements.multipliedReportingOverflow(by: depth)
    return overflow ? Int.max : product
  }

  /// Cuts rows where they suffice to keep the threads busy, else panels of output channels.
  func work(threads: Int, tileRows: Int, panels: Int, rate: Double) -> (WorkSplit, byRows: Bool) {
    let cost = costNanoseconds(outputElements, depth, perNanosecond: rate)
    let rows = geometry.outputRows
    if rows >= 2 * threads * tileRows || panels == 1 {
      return (WorkSplit(units: rows, multiple: tileRows, costNanoseconds: cost), true)
    }
    return (WorkSplit(units: panels, costNanoseconds: cost), false)
  }

  /// The part of the work that a range of units names.
  static func range(
    _ units: Range<Int>, byRows: Bool, rows: Int, panels: Int
  ) -> WorkRange {
    byRows
      ? WorkRange(rows: units, panels: 0..<panels) : WorkRange(rows: 0..<rows, panels: units)
  }
}

extension ByteView {
  /// The view itself, or a copy of its bytes where elements of this size cannot be read in place.
  func aligned(to elementBytes: Int) -> ByteView {
    isAligned(to: elementBytes) ? self : ByteView(array)
  }
}
