import KernelInterface

/// The kernels of int16 activations of this module's instruction set.
func makeInt16Kernels() -> Int16Kernels {
  Int16Kernels(
    convolution: { convolutionInt16($0, $1) },
    depthwise: { depthwiseInt16($0, $1) },
    binary: { binaryInt16($0) },
    mean: { meanInt16($0, $1) },
    softmax: { softmaxInt16($0, $1) },
    lookup: { lookupInt16($0) },
    sigmoid: { sigmoidInt16($0) },
    quantize: { quantizeInt16($0) },
    dequantize: { dequantizeInt16($0) },
    requantize: { requantizeCodes($0) })
}
