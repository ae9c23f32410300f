package import Tensors

/// Which version of a model a request asks for.
package enum VersionSelector: Sendable, Equatable {
  /// The highest version that serves.
  case latest
  case version(Int64)
  case label(String)
}

/// A named tensor that travels in a request or a reply.
package struct NamedTensor: Sendable, Equatable {
  package var name: String
  package var dataType: DataType
  /// Concrete; the leading extent may be a multiple of the model's own (rows of a batch).
  package var shape: Shape
  /// Row-major, little-endian, packed: `dataType.byteCount(of: shape.elementCount)` bytes. Strings lie one
  /// behind the other, each behind its length in four bytes.
  package var bytes: [UInt8]
  /// Where the bytes are instead, when their owner keeps them in memory of its own.
  package var memory: TensorMemory?

  package init(name: String, dataType: DataType, shape: Shape, memory: TensorMemory) {
    self.init(name: name, dataType: dataType, shape: shape, bytes: [])
    self.memory = memory
  }

  package var byteCount: Int { memory?.byteCount ?? bytes.count }

  package init(name: String, dataType: DataType, shape: Shape, bytes: [UInt8]) {
    self.name = name
    self.dataType = dataType
    self.shape = shape
    self.bytes = bytes
  }
}

/// The one request that every public protocol maps onto.
package struct InferenceRequest: Sendable {
  /// Each model input exactly once, in any order.
  package var inputs: [NamedTensor]
  /// Names of the outputs wanted, in the order of the reply; nil for all.
  package var outputNames: [String]?
  package var terms: RequestTerms

  /// Takes copies of inputs that lie elsewhere; false when one cannot be read.
  package mutating func copyMemory() -> Bool {
    for index in inputs.indices {
      guard let memory = inputs[index].memory else { continue }
      guard let bytes = memory.copy() else { return false }
      inputs[index].bytes = bytes
      inputs[index].memory = nil
    }
    return true
  }

  package init(
    inputs: [NamedTensor], outputNames: [String]? = nil, terms: RequestTerms = RequestTerms()
  ) {
    self.inputs = inputs
    self.outputNames = outputNames
    self.terms = terms
  }
}

/// The one reply that every public protocol maps from.
package struct InferenceResponse: Sendable {
  /// The version that answered, the same for every tensor of the reply.
  package var version: Int64
  package var outputs: [NamedTensor]
  /// The model that answered in place of the one that was asked, or `Fallback.constant`; nil when it
  /// answered itself.
  package var fallback: String?
  /// Versions of other models that the answer was made with, in their order.
  package var pinned: [PinnedVersion] = []

  package init(version: Int64, outputs: [NamedTensor]) {
    self.version = version
    self.outputs = outputs
  }
}
