import Serving
import Tensors

/// What turns the input of a request into rows of numbers for models.
protocol FrontEnd: Sendable {
  /// What a request brings.
  var input: TensorSpecification { get }
  /// One row of what is made.
  var output: TensorType { get }
  /// What every row goes through before a model's own codes are made of it.
  func prepare(_ builder: inout GraphBuilder)
  /// How many rows `tensor`, whose data type was checked, becomes; at most `maximum`.
  func count(of tensor: NamedTensor, maximum: Int) throws(ServingError) -> Int
  /// These rows, one behind the other.
  func rows(of tensor: NamedTensor, count: Int) throws(ServingError) -> [UInt8]
  /// Programs that have memory of their own.
  var stages: [Stage] { get }
  /// Bytes that are charged for it elsewhere.
  var heldBytes: Int { get }
}

extension FrontEnd {
  func prepare(_ builder: inout GraphBuilder) {}
  var heldBytes: Int { 0 }
}
