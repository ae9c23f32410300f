package import ByteParsing

/// Inputs with the outputs that a model must give for them, and how far it may be off.
package struct GoldenVectors: Sendable {
  /// How far outputs may be off.
  package var tolerance: Tolerance
  /// The vectors; a bundle's are parts of its mapping.
  package var vectors: [Vector]

  /// How far outputs may be off, by their data type.
  package struct Tolerance: Sendable, Equatable {
    /// Steps of an integer output.
    package var integerSteps: Int64
    /// Parts per billion of a float output's value.
    package var relativePartsPerBillion: Int64
    /// Billionths by which a float output may be off whatever its value.
    package var absoluteBillionths: Int64

    package init(
      integerSteps: Int64 = 1, relativePartsPerBillion: Int64 = 100_000,
      absoluteBillionths: Int64 = 1_000
    ) {
      self.integerSteps = integerSteps
      self.relativePartsPerBillion = relativePartsPerBillion
      self.absoluteBillionths = absoluteBillionths
    }

    /// The relative tolerance as a fraction.
    package var relative: Double { Double(relativePartsPerBillion) * 1e-9 }
    /// The absolute tolerance.
    package var absolute: Double { Double(absoluteBillionths) * 1e-9 }
  }

  /// The packed little-endian elements of each input and each output, in the model's order.
  package struct Vector: Sendable {
    package var inputs: [ByteView]
    package var outputs: [ByteView]

    package init(inputs: [ByteView], outputs: [ByteView]) {
      self.inputs = inputs
      self.outputs = outputs
    }
  }

  package init(tolerance: Tolerance = Tolerance(), vectors: [Vector]) {
    self.tolerance = tolerance
    self.vectors = vectors
  }

  /// The bytes of the golden vectors file.
  package func encode() -> [UInt8] {
    var writer = CBORWriter()
    writer.map { map in
      map.unsigned(1, tolerance.integerSteps)
      map.unsigned(2, tolerance.relativePartsPerBillion)
      map.unsigned(3, tolerance.absoluteBillionths)
      map.field(4) { writer in
        writer.array(vectors) { writer, vector in
          writer.map { map in
            map.field(1) { $0.array(vector.inputs) { $0.byteString($1.array) } }
            map.field(2) { $0.array(vector.outputs) { $0.byteString($1.array) } }
          }
        }
      }
    }
    return writer.bytes
  }

  /// The golden vectors in `file`, as parts of it.
  package init(decoding file: ByteView) throws(BundleError) {
    guard file.count <= BundleLimits.vectorsBytes else {
      throw .malformedVectors(
        .tooLong(offset: 0, limit: BundleLimits.vectorsBytes, actual: UInt64(file.count)))
    }
    do throws(CBORError) {
      var reader = CBORReader(file.array)
      try reader.beginMap()
      try reader.require(1)
      let integerSteps = try reader.integer(in: 0...255)
      try reader.require(2)
      let relative = try reader.integer(in: 0...1_000_000_000)
      try reader.require(3)
      let absolute = try reader.integer(in: 0...1_000_000_000)
      tolerance = Tolerance(
        integerSteps: integerSteps, relativePartsPerBillion: relative, absoluteBillionths: absolute)
      try reader.require(4)
      vectors = try reader.array(maximum: BundleLimits.vectors) {
        (item) throws(CBORError) in try Vector(&item, of: file)
      }
      try reader.endMap()
      try reader.finish()
    } catch {
      throw .malformedVectors(error)
    }
  }
}

extension GoldenVectors.Vector {
  fileprivate init(_ reader: inout CBORReader, of file: ByteView) throws(CBORError) {
    func tensors(_ key: UInt64) throws(CBORError) -> [ByteView] {
      try reader.require(key)
      return try reader.array(maximum: BundleLimits.tensors) { (item) throws(CBORError) in
        let range = try item.byteStringRange(maximum: file.count)
        // The reader has checked the range against the same bytes.
        guard let tensor = try? file.slice(at: range.lowerBound, count: range.count) else {
          throw .outOfRange(offset: range.lowerBound)
        }
        return tensor
      }
    }
    try reader.beginMap()
    inputs = try tensors(1)
    outputs = try tensors(2)
    try reader.endMap()
  }
}
