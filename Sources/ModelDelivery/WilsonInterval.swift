/// Where the true rate of failures lies, judging by so many of so many: Wilson's score interval
/// at 95 %.
package struct WilsonInterval: Sendable, Equatable {
  package let lower: Double
  package let upper: Double

  /// - Precondition: `failures` is from 0 to `count`.
  package init(failures: Int, of count: Int) {
    precondition((0...max(count, 0)).contains(failures))
    guard count > 0 else {
      (lower, upper) = (0, 1)
      return
    }
    let quantile = 1.959_963_984_540_054
    let n = Double(count)
    let rate = Double(failures) / n
    let square = quantile * quantile
    let center = (rate + square / (2 * n)) / (1 + square / n)
    let half =
      quantile / (1 + square / n)
      * ((rate * (1 - rate) + square / (4 * n)) / n).squareRoot()
    lower = failures == 0 ? 0 : max(0, center - half)
    upper = failures == count ? 1 : min(1, center + half)
  }
}
