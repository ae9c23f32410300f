import ByteParsing

/// Names a buffer of the arena by its place in the plan.
struct BufferID: Sendable, Equatable {
  var index: Int
}

/// Names bytes that are written once, when the model is prepared.
struct PackedID: Sendable, Equatable {
  var index: Int
}

/// Where a step finds an operand.
enum Source: Sendable {
  case buffer(BufferID)
  /// A constant in the mapped model file.
  case constant(ByteView)
  case packed(PackedID)
}

/// The addresses that the plan's offsets stand for in one instance.
///
/// Sound because the plan keeps every offset and size within the three blocks, and an instance, which alone calls
/// bound steps, keeps the blocks and the model file alive.
@safe struct ProgramMemory {
  let arena: UnsafeMutableRawPointer
  let scratch: UnsafeMutableRawPointer
  let scratchBytesPerThread: Int
  let weights: PackedWeights.Place
  let bufferOffsets: [Int]
  let packedOffsets: [Int]

  /// The first byte of a buffer.
  func address<T>(_ buffer: BufferID, as: T.Type = T.self) -> UnsafeMutablePointer<T> {
    unsafe (arena + bufferOffsets[buffer.index]).assumingMemoryBound(to: T.self)
  }

  /// The first byte of an operand.
  func address<T>(_ source: Source, as: T.Type = T.self) -> UnsafePointer<T> {
    switch source {
    case .buffer(let buffer): unsafe UnsafePointer(address(buffer))
    case .packed(let packed):
      unsafe weights.address(packedOffsets[packed.index]).assumingMemoryBound(to: T.self)
    case .constant(let bytes): unsafe bytes.address()
    }
  }

  /// Working space of one thread, 64-byte aligned.
  func scratch(ofThread thread: Int) -> UnsafeMutableRawPointer {
    unsafe scratch + thread * scratchBytesPerThread
  }
}

extension ByteView {
  /// The first byte; valid while the view's owner lives.
  @unsafe func address<T>(as: T.Type = T.self) -> UnsafePointer<T> {
    unsafe withUnsafeBytes { bytes in
      let start = unsafe bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!
      return unsafe start.assumingMemoryBound(to: T.self)
    }
  }
}
