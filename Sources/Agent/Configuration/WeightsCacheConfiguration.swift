import Logging
import Serving

/// Files of packed weights in the state directory.
package struct WeightsCacheConfiguration: Sendable, Equatable {
  package var isEnabled = true
  /// Packed weights of fewer bytes are kept in no file.
  package var bytesMinimum = ServingLimits().keptWeightsBytesMinimum
  /// Bytes of all of them at most.
  package var diskBytesMaximum = AgentLimits.weightsDiskBytesDefault
  /// Bytes that are written within a day at most; nil for what the board's profile says, and no bound
  /// without one.
  package var dailyBytesMaximum: Int?

  package init() {}

  func validate() throws(AgentError) {
    for (key, value) in [
      ("bytes_minimum", bytesMinimum), ("disk_maximum", diskBytesMaximum),
      ("daily_writes_maximum", dailyBytesMaximum ?? 1),
    ] where value < 1 {
      throw .invalidValue(
        key: "weights_cache." + key, value: String(value),
        expected: "above zero; {\"enabled\": false} keeps no files")
    }
  }

  /// The cache in `directory`, or why there is none.
  ///
  /// - Parameter builder: names the program.
  func open(
    _ directory: String, builder: String, _ log: Logger
  ) -> (cache: WeightsCache?, refusal: WeightsRefusal) {
    guard isEnabled else { return (nil, .off) }
    do throws(WeightsRefusal) {
      let cache = try WeightsCache(
        WeightsCache.Settings(
          directory: directory, diskBytesMaximum: diskBytesMaximum,
          dailyBytesMaximum: dailyBytesMaximum ?? .max, builder: builder))
      return (cache, .off)
    } catch {
      log.info("packed weights are kept in no files", metadata: ["state_dir": "\(directory)"])
      return (nil, error)
    }
  }
}
