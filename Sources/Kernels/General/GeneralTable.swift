import KernelInterface

/// The general kernels of this module's instruction set.
func makeGeneralKernels() -> GeneralKernels {
  GeneralKernels(
    copyStrided: { copyStrided($0, $1) },
    binary: { binaryElements($0) },
    unary: { unaryElements($0) },
    cast: { cast($0) },
    select: { select($0) },
    reduce: { reduceElements($0, $1) },
    argumentOfExtreme: { argumentOfExtreme($0, $1) },
    cumulativeSum: { cumulativeSum($0, $1) },
    gather: { gather($0, $1) },
    gatherND: { gatherND($0, $1) },
    oneHot: { oneHot($0, $1) },
    updateSlice: { updateSlice($0) },
    mirror: { mirror($0, $1) },
    normalizeRows: { normalizeRows($0, $1) },
    resize: { resize($0, $1) },
    transposeConvolution: { transposeConvolution($0, $1) },
    matrixProduct: { matrixProduct($0, $1) })
}
