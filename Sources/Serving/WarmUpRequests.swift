import ByteParsing
import Glibc
import ModelStorage
import Runtime
import Tensors

/// Requests recorded to warm a version up, beside its model as TensorFlow Serving has them:
/// `assets.extra/tf_serving_warmup_requests`, a TFRecord file of `PredictionLog` messages.
///
/// Each record is its length, eight bytes, a checksum of these, the message and a checksum of that.
/// Source: TensorFlow, `record_writer.h`; TensorFlow Serving, SavedModel Warmup.
struct WarmUpRequests: Sendable {
  /// TensorFlow Serving's own bound.
  static let recordsMaximum = 1000
  static let recordBytesMaximum = 16 << 20
  /// Inputs of one request.
  static let inputsMaximum = 1024

  private static let headBytes = 12
  private static let tailBytes = 4

  private let file: MappedFile
  private let records: [Range<Int>]

  /// Finds the file beside the model at `path`; nil when there is none.
  ///
  /// - Throws: `warmUp` when it is no such file, or `unreadable`.
  init?(beside path: String) throws(LoadFailure) {
    let directory = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "."
    let place = directory + "/assets.extra/tf_serving_warmup_requests"
    do throws(ParsingError) {
      file = try MappedFile(path: place)
    } catch {
      if case .unreadableFile(let code) = error, code == ENOENT || code == ENOTDIR { return nil }
      throw LoadFailure(error, path: place)
    }
    records = try Self.records(file.bytes)
  }

  /// Bytes that a run holds at most besides the program's: a record, and its elements in the widest
  /// form of the inputs.
  func heldBytes(_ description: VersionDescription) -> Int {
    let widest = description.inputs.map { Self.growth($0.type.dataType) }.max() ?? 1
    let row = description.inputs.reduce(0) { $0 + ($1.type.byteCount ?? 0) }
    return (records.map(\.count).max() ?? 0) * (1 + widest) + row
  }

  /// Bytes of a tensor that one byte on the wire may stand for.
  private static func growth(_ type: DataType) -> Int {
    switch type {
    case .float32, .float64, .complex64: 1
    default: max(1, type.bitWidth / 8)
    }
  }

  /// What ends a warm-up.
  struct Bounds {
    /// Rows of one request.
    var rowsMaximum: Int
    /// Monotonic nanoseconds; what has not begun by then is passed over.
    var deadline: UInt64
    /// Whether the version is still wanted.
    var isWanted: () -> Bool
  }

  /// Runs every row of every `PredictRequest`; records of other kinds are passed over.
  ///
  /// - Throws: `warmUp` for the first that the version does not take, or `shuttingDown`.
  func run(
    on slot: InstanceSlot, _ description: VersionDescription, _ bounds: Bounds
  ) throws(LoadFailure) {
    // Elements of variable size have no place in a run's fixed bytes.
    guard description.inputs.allSatisfy({ $0.type.byteCount != nil }) else { return }
    for (number, range) in records.enumerated() {
      do throws(WarmUpError) {
        let bytes = try Self.checked(file.bytes, range)
        guard let request = try Self.predictRequest(ProtobufReader(bytes)) else { continue }
        guard try Self.run(try Self.inputs(request), on: slot, description, bounds) else { break }
      } catch {
        throw .warmUp(record: number, reason: error.sentence)
      }
    }
    guard bounds.isWanted() else { throw .shuttingDown }
  }

  // MARK: Records

  private static func records(_ bytes: ByteView) throws(LoadFailure) -> [Range<Int>] {
    var records: [Range<Int>] = []
    var place = 0
    while place < bytes.count {
      do throws(WarmUpError) {
        guard records.count < recordsMaximum else { throw .tooMany }
        guard let head = try? bytes.slice(at: place, count: headBytes),
          let length: UInt64 = try? head.load(at: 0), let sum: UInt32 = try? head.load(at: 8)
        else { throw .truncated }
        guard masked(Array(head.array.prefix(8))) == sum else { throw .checksum }
        guard length <= UInt64(recordBytesMaximum) else { throw .tooLarge(length) }
        let start = place + headBytes
        guard Int(length) + tailBytes <= bytes.count - start else { throw .truncated }
        records.append(start..<start + Int(length))
        place = start + Int(length) + tailBytes
      } catch {
        throw .warmUp(record: records.count, reason: error.sentence)
      }
    }
    return records
  }

  private static func checked(
    _ bytes: ByteView, _ range: Range<Int>
  ) throws(WarmUpError) -> [UInt8] {
    guard let record = try? bytes.slice(at: range.lowerBound, count: range.count),
      let sum: UInt32 = try? bytes.load(at: range.upperBound)
    else { throw .truncated }
    let copy = record.array
    guard masked(copy) == sum else { throw .checksum }
    return copy
  }

  /// A checksum as TFRecord files store it, so that it is none of bytes that hold checksums.
  private static func masked(_ bytes: [UInt8]) -> UInt32 {
    let sum = CRC32C.checksum(bytes)
    return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
  }

  // MARK: Messages

  /// The `PredictRequest` in a `PredictionLog`; nil when it holds another kind of request.
  private static func predictRequest(
    _ log: ProtobufReader
  ) throws(WarmUpError) -> ProtobufReader? {
    try reading { () throws(ProtobufError) in
      var log = log
      var request: ProtobufReader?
      while let field = try log.next() {
        guard field.number == 6 else {
          try log.skip(field)
          continue
        }
        var predictLog = try log.message(field)
        while let field = try predictLog.next() {
          if field.number == 1 {
            request = try predictLog.message(field)
          } else {
            try predictLog.skip(field)
          }
        }
      }
      return request
    }
  }

  private static func inputs(
    _ request: ProtobufReader
  ) throws(WarmUpError) -> [String: WarmUpTensor] {
    try reading { () throws(ProtobufError) in
      var request = request
      var inputs: [String: WarmUpTensor] = [:]
      while let field = try request.next() {
        guard field.number == 2 else {
          try request.skip(field)
          continue
        }
        var entry = try request.message(field)
        var name = ""
        var tensor = WarmUpTensor()
        while let field = try entry.next() {
          switch field.number {
          case 1: name = try entry.text(field)
          case 2: tensor = try WarmUpTensor(try entry.message(field))
          default: try entry.skip(field)
          }
        }
        inputs[name] = tensor
        guard inputs.count <= inputsMaximum else {
          throw .tooManyElements(field: 2, limit: inputsMaximum)
        }
      }
      return inputs
    }
  }

  private static func reading<Value>(
    _ body: () throws(ProtobufError) -> Value
  ) throws(WarmUpError) -> Value {
    do throws(ProtobufError) {
      return try body()
    } catch {
      throw .message(error)
    }
  }

  // MARK: Runs

  /// Whether there is time for more.
  private static func run(
    _ inputs: [String: WarmUpTensor], on slot: InstanceSlot, _ description: VersionDescription,
    _ bounds: Bounds
  ) throws(WarmUpError) -> Bool {
    if let unknown = inputs.keys.sorted().first(where: { name in
      !description.inputs.contains { $0.name == name }
    }) {
      throw .unknownInput(unknown)
    }
    var rows: Int?
    var tensors: [[UInt8]] = []
    for specification in description.inputs {
      guard let tensor = inputs[specification.name] else {
        throw .missingInput(specification.name)
      }
      let here = try tensor.rows(of: specification)
      guard rows ?? here == here else { throw .shape(specification.name, tensor.extents) }
      rows = here
      tensors.append(try tensor.elements(of: specification, rows: here))
    }
    // Where one element stands for all, every row is the same.
    let distinct = zip(tensors, description.inputs).map { tensor, input in
      tensor.count / max(1, input.type.byteCount ?? 0)
    }
    let runs = min(rows ?? 1, distinct.max() ?? 1)
    guard runs <= bounds.rowsMaximum else { throw .rows(runs, limit: bounds.rowsMaximum) }
    for row in 0..<runs {
      guard MonotonicClock.now() < bounds.deadline, bounds.isWanted() else { return false }
      for (index, tensor) in tensors.enumerated() {
        let rowBytes = description.inputs[index].type.byteCount ?? 0
        slot.write(tensor, at: row < distinct[index] ? row * rowBytes : 0, to: index)
      }
      slot.instance.run()
      guard slot.instance.isComplete else { throw .noResult(slot.instance.failure?.phrase) }
    }
    return true
  }
}
