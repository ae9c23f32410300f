/// Affine quantisation: `real = scale · (code − zeroPoint)`.
package struct Quantization: Sendable, Equatable {
  /// One scale for the whole tensor, or one for each index of `axis`.
  package var scales: [Float]
  /// As many as `scales`.
  package var zeroPoints: [Int32]
  /// The axis that the scales run along; 0 when there is one scale.
  package var axis: Int
  /// Elements of a row that have one scale, `scales[row, block]`; nil for scales of whole rows or more.
  package var blockSize: Int?

  package init(scales: [Float], zeroPoints: [Int32], axis: Int = 0, blockSize: Int? = nil) {
    self.blockSize = blockSize
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.axis = axis
  }

  package init(scale: Float, zeroPoint: Int32) {
    self.init(scales: [scale], zeroPoints: [zeroPoint])
  }

  package var isPerChannel: Bool { scales.count > 1 }
  package var scale: Float { scales[0] }
  package var zeroPoint: Int32 { zeroPoints[0] }
}
