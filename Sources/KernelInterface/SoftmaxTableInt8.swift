/// The exponentials of every difference between two int8 codes, tabulated when a model is prepared.
///
/// Entry `d` is `exp(−d · inputScale · beta)`.
package struct SoftmaxTableInt8: Sendable, Equatable {
  /// 256 entries; the prepared program keeps them, kernels read them in place.
  package var entries: [Float]

  /// - Precondition: `inputScale · beta` is finite.
  package init(inputScale: Float, beta: Float) {
    let step = Double(inputScale) * Double(beta)
    entries = (0..<256).map { Float(exponential(-step * Double($0))) }
  }
}
