/// An entry point of a model: names for some of the graph's inputs and outputs.
package struct Signature: Sendable, Equatable {
  /// A name and the value that it stands for.
  package struct Entry: Sendable, Equatable {
    package var name: String
    package var value: ValueID

    package init(name: String, value: ValueID) {
      self.name = name
      self.value = value
    }
  }

  /// The signature's name, such as `serving_default`.
  package var key: String
  package var inputs: [Entry]
  package var outputs: [Entry]

  package init(key: String, inputs: [Entry], outputs: [Entry]) {
    self.key = key
    self.inputs = inputs
    self.outputs = outputs
  }
}
