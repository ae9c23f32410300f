import Runtime
import Tensors

/// An instance on its way between the idle list and the one thread that runs it.
struct InstanceSlot: Sendable {
  let instance: Instance

  /// Whether the last inference came to its end.
  var isComplete: Bool { instance.isComplete }

  /// Runs each row and gathers the outputs of all; stops at an inference that did not come to its end.
  func run(
    _ request: InferenceRequest, _ plan: RequestPlan, _ description: VersionDescription
  ) -> InferenceResponse {
    var outputs = plan.outputs.map { output in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(output.rowBytes * plan.rows)
      return bytes
    }
    for row in 0..<plan.rows {
      for (index, input) in plan.inputs.enumerated() {
        write(request.inputs[input.tensor].bytes, at: row * input.rowBytes, to: index)
      }
      instance.run()
      guard isComplete else { break }
      for (position, output) in plan.outputs.enumerated() {
        append(output.index, to: &outputs[position])
      }
    }
    return InferenceResponse(
      version: description.version,
      outputs: zip(plan.outputs, outputs).map { output, bytes in
        let specification = description.outputs[output.index]
        return NamedTensor(
          name: specification.name, dataType: specification.type.dataType, shape: output.shape,
          bytes: bytes)
      })
  }

  /// Fills input `index` with the bytes from `offset` on.
  ///
  /// - Precondition: there are enough.
  func write(_ bytes: [UInt8], at offset: Int, to index: Int) {
    unsafe instance.withInput(index) { destination in
      let row = bytes[offset..<offset + destination.count]
      // Sound: the slice's bounds were checked, and its count is the destination's.
      unsafe row.withUnsafeBytes { unsafe destination.copyMemory(from: $0) }
    }
  }

  private func append(_ index: Int, to bytes: inout [UInt8]) {
    unsafe instance.withOutput(index) { output in unsafe bytes.append(contentsOf: output) }
  }

  /// A copy of output `index`.
  func output(_ index: Int) -> [UInt8] {
    unsafe instance.withOutput(index) { output in unsafe [UInt8](output) }
  }
}
