import KernelInterface

/// Matrix products with a scale for each block of weights, in float32 from block to block.
///
/// With one row it is bound by reading the weights.
func blockProduct(_ arguments: BlockProductArguments, _ columns: Range<Int>) {
  let blocks = arguments.depth / arguments.blockSize
  var column = columns.lowerBound
  // Sound: all offsets stay within the extents that the maker of the arguments vouches for.
  while column < columns.upperBound {
    let weights = unsafe arguments.weights + column &* arguments.depth
    let scales = unsafe arguments.scales + column &* blocks
    var row = 0
    while row < arguments.rows {
      let input = unsafe arguments.input + row &* arguments.depth
      var sum: Float = 0
      var block = 0
      while block < blocks {
        let place = block &* arguments.blockSize
        let product = unsafe dotInt8(input + place, weights + place, arguments.blockSize)
        sum += unsafe Float(product) * scales[block]
        block &+= 1
      }
      sum -= unsafe Float(arguments.rowZeroPoints[row]) * arguments.sums[column]
      let value = unsafe sum * arguments.rowScales[row] + (arguments.bias?[column] ?? 0)
      let bounds = arguments.bounds
      unsafe arguments.output[row &* arguments.columns &+ column] =
        value > bounds.maximum ? bounds.maximum : value < bounds.minimum ? bounds.minimum : value
      row &+= 1
    }
    column &+= 1
  }
}
