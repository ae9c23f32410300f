package import ByteParsing
package import Tensors

/// Names one value of a graph by its place in `Graph.values`.
package struct ValueID: Sendable, Equatable, Hashable, Comparable {
  package var index: Int

  package init(_ index: Int) { self.index = index }

  package static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

/// A tensor of a graph: an input, a constant, or what a node produces.
package struct Value: Sendable {
  /// As the model names it; not unique, and empty where the model gives none.
  package var name: String
  /// The type that the program is planned for; its shape is concrete.
  package var type: TensorType
  /// The shape that the model declares, −1 where an extent is free.
  package var signatureShape: Shape
  /// The packed little-endian elements of a constant, exactly `type.byteCount` bytes.
  package var constant: ByteView?
  /// The elements of a computed value that follow from shapes and constants alone; `inferShapes`
  /// sets them.
  package var known: ByteView?
  /// Whether the shape follows from what the model computes, and is open but for what the model states;
  /// `inferShapes` sets it.
  package var isDeferred = false

  package init(
    name: String, type: TensorType, signatureShape: Shape? = nil, constant: ByteView? = nil
  ) {
    self.name = name
    self.type = type
    self.signatureShape = signatureShape ?? type.shape
    self.constant = constant
  }
}
