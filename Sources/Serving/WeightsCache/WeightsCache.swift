import ByteParsing
import Cryptography
package import ModelStorage
package import Runtime
import Synchronization
import Tensors

/// Keeps packed weights in files of the state directory, from which they are mapped: clean pages, which
/// the kernel shares and takes back at will, and which a restart or a rollback finds as they were.
///
/// What it cannot keep lies in anonymous memory, and serves as well. One thread at a time writes.
package final class WeightsCache: Sendable {
  package struct Settings: Sendable, Equatable {
    /// The state directory.
    package var directory: String
    /// Bytes of all files together at most.
    package var diskBytesMaximum: Int
    /// Bytes that are written within 24 hours at most.
    package var dailyBytesMaximum: Int
    /// Names the program that packs, since another may pack otherwise.
    package var builder: String

    package init(
      directory: String, diskBytesMaximum: Int, dailyBytesMaximum: Int, builder: String
    ) {
      self.directory = directory
      self.diskBytesMaximum = diskBytesMaximum
      self.dailyBytesMaximum = dailyBytesMaximum
      self.builder = builder
    }
  }

  fileprivate struct State {
    let files: any FileSystem
    /// When the day that is counted began, in monotonic nanoseconds, and what was written since.
    var dayBegan = MonotonicClock.now()
    var writtenBytes = 0
  }

  private let settings: Settings
  private let state: Mutex<State>
  /// Keeps other agents from the same files.
  private let lock: StateLock

  /// Opens the state directory, which is made if it is missing.
  ///
  /// - Throws: `WeightsRefusal.unavailable`.
  package convenience init(_ settings: Settings) throws(WeightsRefusal) {
    do throws(StorageError) {
      try self.init(settings, SystemFiles(settings.directory))
    } catch {
      throw .unavailable
    }
  }

  package init(_ settings: Settings, _ files: sending any FileSystem) throws(StorageError) {
    self.settings = settings
    do {
      lock = try StateLock.take(settings.directory + "/" + PackedWeightsPlace.folder.text)
    } catch {
      throw .system(call: .lock, errno: 0)
    }
    state = Mutex(State(files: files))
  }

  /// The packed weights of `plan`, from their file or packed anew, with a file from then on where there
  /// can be one.
  ///
  /// - Throws: `outOfMemory`.
  func weights(
    of plan: Plan, at place: PackedWeightsPlace, _ model: ModelFile
  ) throws(RuntimeError) -> KeptWeights {
    let layout = layout(of: plan)
    if let kept = try open(place, plan, layout, model) { return kept }
    let packed = try PackedWeights(packing: plan)
    do throws(WeightsRefusal) {
      try write(packed, plan.mappableBytes, at: place, layout, model)
    } catch {
      return KeptWeights(weights: packed, refusal: error)
    }
    return try open(place, plan, layout, model)
      ?? KeptWeights(weights: packed, refusal: .storage(errno: 0))
  }

  /// The packed weights of `plan`, for the one model at `path` that the directory is used for.
  ///
  /// - Throws: `LoadFailure` when the file cannot be read.
  package func weights(of plan: Plan, forModelAt path: String) throws -> PackedWeights {
    let name = path.split(separator: "/").last.map(String.init) ?? "model"
    return try weights(
      of: plan, at: .cache(model: name, version: 1), try ModelFile(path: path)).weights
  }

  /// Removes what is kept for models of the device but for `kept`.
  package func collectGarbage(keep kept: [String: Set<Int64>]) {
    state.withLock { state in
      // What cannot be removed now is tried again when something changes.
      try? PackedWeightsPlace.collectGarbage(keep: kept, state.files)
    }
  }

  /// Of all that decides where packed bytes lie and what they are, but for the model.
  private func layout(of plan: Plan) -> UInt64 {
    let shapes = plan.inputs.map { "\($0.type.dataType)\($0.type.shape.extents)" }
    let parts = [
      settings.builder, plan.kernels, "\(plan.threads)", "\(shapes)", "\(plan.mappableByteCounts)",
    ]
    let text = Array(parts.joined(separator: "\n").utf8)
    return unsafe text.withUnsafeBytes { unsafe PackedWeightsFile.checksum($0) }
  }

  /// What the file at `place` holds; nil when it is not there, damaged, or of something else.
  private func open(
    _ place: PackedWeightsPlace, _ plan: Plan, _ layout: UInt64, _ model: ModelFile
  ) throws(RuntimeError) -> KeptWeights? {
    guard let path = try? place.path,
      let mapped = try? MappedFile(path: settings.directory + "/" + path.text),
      let file = PackedWeightsFile(mapped.bytes), file.header.layout == layout
    else { return nil }
    let stamp = model.stamp
    if stamp == nil || file.header.stamp != stamp {
      guard file.header.model == model.digest else { return nil }
      if stamp != nil { restamp(file.header, stamp, path) }
    }
    let kept = WeightsFile(mapped, file)
    guard kept.isWhole,
      let weights = try PackedWeights(mapped: file.weights, for: plan, isTorn: { mapped.isTorn })
    else { return nil }
    return KeptWeights(weights: weights, file: kept)
  }

  private func restamp(
    _ header: PackedWeightsFile.Header, _ stamp: FileStamp?, _ path: StoragePath
  ) {
    var header = header
    header.stamp = stamp
    state.withLock { state in
      // Without it the model is hashed again the next time.
      try? PackedWeightsFile.restamp(header, at: path, state.files)
    }
  }

  private func write(
    _ weights: PackedWeights, _ byteCount: Int, at place: PackedWeightsPlace, _ layout: UInt64,
    _ model: ModelFile
  ) throws(WeightsRefusal) {
    let header = PackedWeightsFile.Header(
      layout: layout, model: model.digest, stamp: model.stamp,
      byteCount: byteCount,
      checksum: unsafe weights.withUnsafeBytes(byteCount) { unsafe PackedWeightsFile.checksum($0) })
    let refusal = state.withLock { state in
      state.write(header, at: place, settings) { offset, count in
        unsafe weights.withUnsafeBytes(byteCount) { bytes in
          unsafe [UInt8](bytes[offset..<offset + count])
        }
      }
    }
    if let refusal { throw refusal }
  }
}

extension WeightsCache.State {
  private static let dayNanoseconds: UInt64 = 86_400_000_000_000

  /// Writes a file within the bounds of `settings`; tells why it could not.
  fileprivate mutating func write(
    _ header: PackedWeightsFile.Header, at place: PackedWeightsPlace,
    _ settings: WeightsCache.Settings, bytes: (_ offset: Int, _ count: Int) -> [UInt8]
  ) -> WeightsRefusal? {
    let byteCount = PackedWeightsFile.headerBytes + header.byteCount
    let now = MonotonicClock.now()
    if now - dayBegan >= Self.dayNanoseconds { (dayBegan, writtenBytes) = (now, 0) }
    guard byteCount <= settings.dailyBytesMaximum - writtenBytes else { return .dailyWrites }
    do throws(StorageError) {
      let path = try place.path
      let used = try PackedWeightsPlace.usedBytes(except: path, files)
      guard byteCount <= settings.diskBytesMaximum - used else { return .diskMaximum }
      writtenBytes += byteCount
      try PackedWeightsFile.write(header, at: path, files, bytes: bytes)
      return nil
    } catch {
      return WeightsRefusal(error)
    }
  }
}
