/// The extents of a window's output, and the padding around its input, along both spatial axes.
package struct WindowGeometry: Sendable, Equatable {
  package var outputHeight: Int
  package var outputWidth: Int
  package var top: Int
  package var bottom: Int
  package var left: Int
  package var right: Int

  package init(
    outputHeight: Int, outputWidth: Int, top: Int, bottom: Int, left: Int, right: Int
  ) {
    self.outputHeight = outputHeight
    self.outputWidth = outputWidth
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }
}

extension Window2D {
  /// Places a kernel of `kernelHeight × kernelWidth` taps on an input of `height × width`.
  ///
  /// Nil when a stride, dilation or extent is not positive or the kernel does not fit once. The
  /// arithmetic is TensorFlow's: `same` gives `ceil(input / stride)` and puts the odd element of
  /// padding last.
  package func geometry(
    height: Int, width: Int, kernelHeight: Int, kernelWidth: Int
  ) -> WindowGeometry? {
    let explicit: (top: Int, bottom: Int, left: Int, right: Int)?
    switch padding {
    case .explicit(let top, let bottom, let left, let right): explicit = (top, bottom, left, right)
    case .same, .valid: explicit = nil
    }
    guard
      let rows = place(
        height, kernel: kernelHeight, stride: strideHeight, dilation: dilationHeight,
        explicit: explicit.map { ($0.top, $0.bottom) }),
      let columns = place(
        width, kernel: kernelWidth, stride: strideWidth, dilation: dilationWidth,
        explicit: explicit.map { ($0.left, $0.right) })
    else { return nil }
    return WindowGeometry(
      outputHeight: rows.count, outputWidth: columns.count, top: rows.before, bottom: rows.after,
      left: columns.before, right: columns.after)
  }

  private func place(
    _ input: Int, kernel: Int, stride: Int, dilation: Int, explicit: (before: Int, after: Int)?
  ) -> (count: Int, before: Int, after: Int)? {
    let largest = GraphLimits.extentMaximum
    for number in [input, kernel, stride, dilation] where number < 1 || number > largest {
      return nil
    }
    let reach = (kernel - 1) * dilation + 1
    if padding == .same {
      let count = (input + stride - 1) / stride
      let needed = Swift.max(0, (count - 1) * stride + reach - input)
      return (count, needed / 2, needed - needed / 2)
    }
    let (before, after) = explicit ?? (0, 0)
    guard (0...largest).contains(before), (0...largest).contains(after) else { return nil }
    let padded = input + before + after
    guard padded >= reach else { return nil }
    return ((padded - reach) / stride + 1, before, after)
  }
}
