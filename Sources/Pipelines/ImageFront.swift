import Glibc
import ModelGraph
import Serving
import Synchronization
import Tensors

/// The image step of a pipeline, for models that take pictures of one size.
struct ImageFront: FrontEnd {
  static let inputName = "image"

  let step: ImageStep
  let output: TensorType
  private let memory: ImageMemory
  private let channels: Int

  /// - Parameter model: the first model, whose input says what is not declared.
  init(
    _ step: ImageStep, for model: VersionDescription, _ memory: ImageMemory
  ) throws(PipelineError) {
    guard model.inputs.count == 1 else {
      throw .severalInputs(step: 1, model: model.model, count: model.inputs.count)
    }
    let type = model.inputs[0].type
    guard type.shape.rank == 4, type.shape[0] == 1, [1, 3].contains(type.shape[3]) else {
      throw .noPicture(step: 0, model: model.model, type: type)
    }
    self.step = step
    self.memory = memory
    channels = type.shape[3]
    for (key, numbers) in [("mean", step.mean), ("std", step.deviation)]
    where ![1, channels].contains(numbers.count) {
      throw .channelCount(step: 0, key: key, expected: channels, actual: numbers.count)
    }
    let (height, width) = (step.height ?? type.shape[1], step.width ?? type.shape[2])
    for (key, side) in [("width", width), ("height", height)] {
      try check(0, key, Double(side), 1...Double(PipelineLimits.sideMaximum))
    }
    output = TensorType(.float32, Shape([1, height, width, channels]))
    if step.source == .encoded {
      for format in step.formats where !format.load() {
        throw .missingLibrary(step: 0, file: format.library, package: format.package)
      }
    }
  }

  var stages: [Stage] { [] }
  var heldBytes: Int { memory.bytes }

  var input: TensorSpecification {
    switch step.source {
    case .encoded:
      TensorSpecification(
        name: Self.inputName, type: TensorType(.string, Shape([1])), signatureShape: Shape([-1]))
    case .pixels:
      // As many as there may be, so that bodies are bounded by it.
      TensorSpecification(
        name: Self.inputName,
        type: TensorType(.uint8, Shape([1, 1, step.pixelsMaximum, channels])),
        signatureShape: Shape([-1, -1, -1, channels]))
    }
  }

  func prepare(_ builder: inout GraphBuilder) {
    let deviation = step.deviation
    if deviation != [1] {
      let scale = builder.constant(deviation.map { 1 / $0 }, Shape([deviation.count]))
      builder.apply(.binary(Binary(kind: .multiply)), [scale], to: builder.type)
    }
    if step.mean.contains(where: { $0 != 0 }) {
      let count = max(step.mean.count, deviation.count)
      let offsets = (0..<count).map { index in
        -step.mean[step.mean.count == 1 ? 0 : index]
          / deviation[deviation.count == 1 ? 0 : index]
      }
      let offset = builder.constant(offsets, Shape([count]))
      builder.apply(.binary(Binary(kind: .add)), [offset], to: builder.type)
    }
  }

  func count(of tensor: NamedTensor, maximum: Int) throws(ServingError) -> Int {
    let wrong = ServingError.wrongShape(
      input: tensor.name, expected: input.signatureShape, actual: tensor.shape)
    switch step.source {
    case .encoded:
      guard tensor.shape.rank <= 1 || tensor.shape.extents.dropFirst().allSatisfy({ $0 == 1 }),
        let count = tensor.shape.elementCount, count > 0
      else { throw wrong }
      guard count <= maximum else { throw .batchTooLarge(limit: maximum, actual: count) }
      return count
    case .pixels:
      let count = tensor.shape.rank == 4 ? tensor.shape[0] : 1
      guard [3, 4].contains(tensor.shape.rank), tensor.shape.extents.last == channels, count > 0,
        let expected = tensor.shape.elementCount, expected > 0
      else { throw wrong }
      guard count <= maximum else { throw .batchTooLarge(limit: maximum, actual: count) }
      guard tensor.bytes.count == expected else {
        throw .wrongByteCount(input: tensor.name, expected: expected, actual: tensor.bytes.count)
      }
      return count
    }
  }

  func rows(of tensor: NamedTensor, count: Int) throws(ServingError) -> [UInt8] {
    switch step.source {
    case .encoded:
      guard let places = StringElements.ranges(tensor.bytes[...], count: count) else {
        throw .wrongByteCount(
          input: tensor.name, expected: count * StringElements.lengthBytes,
          actual: tensor.bytes.count)
      }
      return try made(count, tensor.name) { (index, result) throws(ImageError) in
        try append(encoded: tensor.bytes[places[index]], to: &result)
      }
    case .pixels:
      let extents = Array(tensor.shape.extents.suffix(3))
      let bytes = tensor.bytes.count / count
      return try made(count, tensor.name) { (index, result) throws(ImageError) in
        let picture = tensor.bytes[index * bytes..<(index + 1) * bytes]
        let size = try checked((extents[1], extents[0]))
        // Sound: the picture's bytes were counted.
        unsafe picture.withUnsafeBufferPointer { unsafe append($0, size, to: &result) }
      }
    }
  }

  private func made(
    _ count: Int, _ name: String,
    _ picture: (Int, inout [Float]) throws(ImageError) -> Void
  ) throws(ServingError) -> [UInt8] {
    var result: [Float] = []
    result.reserveCapacity(count * (output.shape.elementCount ?? 0))
    for index in 0..<count {
      do throws(ImageError) {
        try picture(index, &result)
      } catch {
        throw .elementRefused(input: name, index: index, reason: error.sentence)
      }
    }
    return unsafe result.withUnsafeBytes { unsafe [UInt8]($0) }
  }

  private func checked(
    _ size: (width: Int, height: Int)
  ) throws(ImageError) -> (width: Int, height: Int) {
    let (pixels, overflow) = size.width.multipliedReportingOverflow(by: size.height)
    guard !overflow, pixels <= step.pixelsMaximum else {
      throw .tooLarge(
        width: size.width, height: size.height, pixelsMaximum: step.pixelsMaximum)
    }
    return size
  }

  private func append(
    encoded bytes: ArraySlice<UInt8>, to result: inout [Float]
  ) throws(ImageError) {
    guard let format = ImageStep.Format(bytes) else { throw .unknownFormat }
    guard step.formats.contains(format) else { throw .formatNotTaken(format) }
    // The head tells the size before anything is decoded.
    let size = try checked(try format.size(of: bytes))
    try unsafe memory.use { (pixels) throws(ImageError) in
      let picture = unsafe UnsafeMutableBufferPointer(
        rebasing: pixels[..<(size.width * size.height * channels)])
      try unsafe format.decode(bytes, channels: channels, into: picture)
      unsafe append(UnsafeBufferPointer(picture), size, to: &result)
    }
  }

  private func append(
    _ pixels: UnsafeBufferPointer<UInt8>, _ size: (width: Int, height: Int),
    to result: inout [Float]
  ) {
    let (height, width) = (output.shape[1], output.shape[2])
    let part = PicturePart(of: size, step.fit, width: width, height: height)
    unsafe resize(
      pixels, width: size.width, channels: channels,
      ResizedAxis(
        start: part.y, extent: part.height, size: size.height, count: height, step.resize),
      ResizedAxis(
        start: part.x, extent: part.width, size: size.width, count: width, step.resize),
      to: &result)
  }
}

/// Where pictures are decoded, one at a time: as large as the largest that is taken, charged with what
/// the decoder itself takes before anything is decoded.
@safe final class ImageMemory: Sendable {
  /// Bytes of a pixel: as it is decoded, and the coefficients of a progressive JPEG file.
  static let bytesPerPixel = 3 + 6
  /// Tables and rows of the decoders.
  static let decoderBytes = 1 << 18

  // Sound: whoever holds the lock has the memory alone.
  @safe private struct Content: @unchecked Sendable {
    var pixels: UnsafeMutableBufferPointer<UInt8>
  }

  private let content: Mutex<Content>
  private let charge: MemoryCharge
  /// What is charged.
  let bytes: Int

  init(_ name: String, _ step: ImageStep, _ ledger: MemoryLedger) throws(MemoryRefusal) {
    let pixels = step.source == .encoded ? step.pixelsMaximum : 0
    bytes = pixels * Self.bytesPerPixel + (pixels > 0 ? Self.decoderBytes : 0)
    charge = try ledger.charge(name, [MemoryItem(.scratch, bytes)])
    // Pages that no picture reaches are never touched.
    let capacity = max(1, pixels * 3)
    guard let memory = unsafe malloc(capacity) else {
      throw MemoryRefusal(needed: bytes, available: 0, budget: ledger.budget)
    }
    content = Mutex(
      unsafe Content(
        pixels: UnsafeMutableBufferPointer(
          start: memory.bindMemory(to: UInt8.self, capacity: capacity), count: capacity)))
  }

  deinit {
    content.withLock { unsafe free($0.pixels.baseAddress) }
    charge.release()
  }

  /// Lends the memory; whoever comes meanwhile waits.
  func use<E: Error>(
    _ body: (UnsafeMutableBufferPointer<UInt8>) throws(E) -> Void
  ) throws(E) {
    try content.withLock { (content) throws(E) in try unsafe body(content.pixels) }
  }
}
