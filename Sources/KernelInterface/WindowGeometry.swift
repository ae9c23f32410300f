/// The sizes of a two-dimensional convolution or pooling over NHWC tensors.
///
/// A fully connected layer is the case of one pixel an image: see `init(rows:inputDepth:outputDepth:)`.
/// - Precondition: every extent, stride and dilation is at least 1, but `batch`, which may be 0; the planner
///   has checked that the products fit `Int`.
package struct WindowGeometry: Sendable, Equatable {
  package var batch: Int
  package var inputHeight: Int
  package var inputWidth: Int
  package var inputChannels: Int
  package var outputHeight: Int
  package var outputWidth: Int
  package var outputChannels: Int
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var strideHeight: Int
  package var strideWidth: Int
  package var dilationHeight: Int
  package var dilationWidth: Int
  /// Rows above the input that the first window covers; what lies below follows from the other sizes.
  package var paddingTop: Int
  /// Columns left of the input that the first window covers.
  package var paddingLeft: Int

  package init(
    batch: Int, inputHeight: Int, inputWidth: Int, inputChannels: Int,
    outputHeight: Int, outputWidth: Int, outputChannels: Int,
    kernelHeight: Int, kernelWidth: Int, strideHeight: Int = 1, strideWidth: Int = 1,
    dilationHeight: Int = 1, dilationWidth: Int = 1, paddingTop: Int = 0, paddingLeft: Int = 0
  ) {
    self.batch = batch
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.inputChannels = inputChannels
    self.outputHeight = outputHeight
    self.outputWidth = outputWidth
    self.outputChannels = outputChannels
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.dilationHeight = dilationHeight
    self.dilationWidth = dilationWidth
    self.paddingTop = paddingTop
    self.paddingLeft = paddingLeft
  }

  /// A matrix product: `rows` × `inputDepth` activations by `outputDepth` × `inputDepth` weights.
  package init(rows: Int, inputDepth: Int, outputDepth: Int) {
    self.init(
      batch: rows, inputHeight: 1, inputWidth: 1, inputChannels: inputDepth,
      outputHeight: 1, outputWidth: 1, outputChannels: outputDepth, kernelHeight: 1, kernelWidth: 1)
  }

  /// The same with rows for columns.
  package var transposed: WindowGeometry {
    WindowGeometry(
      batch: batch, inputHeight: inputWidth, inputWidth: inputHeight, inputChannels: inputChannels,
      outputHeight: outputWidth, outputWidth: outputHeight, outputChannels: outputChannels,
      kernelHeight: kernelWidth, kernelWidth: kernelHeight, strideHeight: strideWidth,
      strideWidth: strideHeight, dilationHeight: dilationWidth, dilationWidth: dilationHeight,
      paddingTop: paddingLeft, paddingLeft: paddingTop)
  }

  /// Output pixels of one image.
  package var outputPixels: Int { outputHeight * outputWidth }
  /// Output pixels of the whole batch: the rows of the matrix product.
  package var outputRows: Int { batch * outputPixels }
  /// Elements of one window: the depth of the matrix product.
  package var depth: Int { kernelHeight * kernelWidth * inputChannels }
  /// Taps of one window.
  package var taps: Int { kernelHeight * kernelWidth }
  /// Taps below each other that a depthwise kernel may take at once: a window's rows, or the columns of its only row.
  package var depthwiseLines: Int { kernelHeight == 1 ? kernelWidth : kernelHeight }

  /// Runs of neighbouring input elements that one window is made of: its rows, or with dilated columns its taps.
  package var windowLines: Int { dilationWidth == 1 || kernelWidth == 1 ? kernelHeight : taps }
  /// Elements of one such run.
  package var lineDepth: Int { depth / windowLines }

  /// Whether each output pixel is computed from the input pixel of the same index alone.
  package var isPointwise: Bool {
    kernelHeight == 1 && kernelWidth == 1 && strideHeight == 1 && strideWidth == 1
      && paddingTop == 0 && paddingLeft == 0 && inputHeight == outputHeight
      && inputWidth == outputWidth
  }
}
