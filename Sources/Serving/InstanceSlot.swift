import Runtime
import Tensors

/// An instance on its way between the idle list and the one thread that runs it.
struct InstanceSlot: Sendable {
  let instance: Instance
  /// The same for several rows at once, the fewest first.
  var batches: [BatchInstance] = []

  /// What one run of a program took.
  struct Run: Sendable {
    var rows: Int
    var nanoseconds: UInt64
  }

  /// Rows of the largest run.
  var rowsMaximum: Int { batches.last?.size ?? 1 }

  /// Runs the rows of all `jobs`, several at once where there is a program for it, and gathers the
  /// outputs of each job, or says why there are none.
  func run(
    _ jobs: [Job], _ description: VersionDescription, told: (Run) -> Void
  ) -> [Result<InferenceResponse, ServingError>] {
    var outputs = jobs.map { job in
      job.plan.outputs.map { output in
        var bytes: [UInt8] = []
        bytes.reserveCapacity(output.rowBytes * job.plan.rows)
        return bytes
      }
    }
    // Of outputs whose shapes follow from what is computed, and of no others.
    var shapes: [Int: [Shape]] = [:]
    var failures = [ServingError?](repeating: nil, count: jobs.count)
    var rows = BatchRows(jobs)
    while let (taken, batch) = rows.take(batches) {
      // A job of one inference that did not end has no others that matter.
      if batch == nil, let row = taken.first, failures[row.job] != nil { continue }
      let runner = batch.map { batches[$0].instance } ?? instance
      for (place, row) in taken.enumerated() {
        let job = jobs[row.job]
        for (index, input) in job.plan.inputs.enumerated() {
          let isRead = runner.write(
            job.request.inputs[input.tensor], at: row.row * input.rowBytes,
            count: input.rowBytes, to: index, at: place * input.rowBytes)
          if !isRead { failures[row.job] = .inputUnreadable }
        }
      }
      let begun = MonotonicClock.now()
      runner.run()
      told(Run(rows: taken.count, nanoseconds: MonotonicClock.now() - begun))
      guard runner.isComplete else {
        // A loop in the model was ended at its limit: the model took too long.
        let failure = runner.failure.map { ServingError.valuesRefused(reason: $0.phrase) }
        for row in taken { failures[row.job] = failure ?? .deadlineExceeded }
        continue
      }
      for (place, row) in taken.enumerated() {
        for (position, output) in jobs[row.job].plan.outputs.enumerated() {
          if output.isOpen {
            shapes[row.job, default: jobs[row.job].plan.outputs.map(\.shape)][position] =
              runner.shape(ofOutput: output.index) ?? output.shape
            runner.append(output.index, to: &outputs[row.job][position])
            continue
          }
          runner.append(
            output.index, at: place * output.rowBytes, count: output.rowBytes,
            to: &outputs[row.job][position])
        }
      }
    }
    return jobs.indices.map { index in
      failures[index].map { .failure($0) }
        ?? .success(
          Self.response(jobs[index].plan, outputs[index], shapes[index], description))
    }
  }

  private static func response(
    _ plan: RequestPlan, _ outputs: [[UInt8]], _ shapes: [Shape]?,
    _ description: VersionDescription
  ) -> InferenceResponse {
    InferenceResponse(
      version: description.version,
      outputs: plan.outputs.indices.map { index in
        let specification = description.outputs[plan.outputs[index].index]
        return NamedTensor(
          name: specification.name, dataType: specification.type.dataType,
          shape: shapes?[index] ?? plan.outputs[index].shape, bytes: outputs[index])
      })
  }

  /// Runs each row of a request on this thread alone, and leaves the others to whoever needs them; nil
  /// when an inference did not come to its end, or its outputs were not paid for.
  ///
  /// - Parameter pays: for the bytes of outputs whose shapes are known only now, before they are copied.
  func runAlone(
    _ request: InferenceRequest, _ plan: RequestPlan, _ description: VersionDescription,
    pays: (Int) -> Bool
  ) -> InferenceResponse? {
    var outputs = plan.outputs.map { _ in [UInt8]() }
    var shapes = plan.outputs.map(\.shape)
    for row in 0..<plan.rows {
      for (index, input) in plan.inputs.enumerated() {
        write(request.inputs[input.tensor].bytes, at: row * input.rowBytes, to: index)
      }
      instance.run(alone: true)
      guard instance.isComplete else { return nil }
      if plan.hasOpenOutputs {
        let open = plan.outputs.filter(\.isOpen)
        guard pays(open.reduce(0) { $0 + instance.byteCount(ofOutput: $1.index) }) else { return nil }
      }
      for (position, output) in plan.outputs.enumerated() {
        if output.isOpen { shapes[position] = instance.shape(ofOutput: output.index) ?? output.shape }
        instance.append(output.index, to: &outputs[position])
      }
    }
    return Self.response(plan, outputs, shapes, description)
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

  /// A copy of output `index`.
  func output(_ index: Int) -> [UInt8] {
    unsafe instance.withOutput(index) { output in unsafe [UInt8](output) }
  }
}

extension Instance {
  /// The same with the bytes of a tensor, wherever they are; false when they cannot be read.
  fileprivate func write(
    _ tensor: NamedTensor, at offset: Int, count: Int, to index: Int, at place: Int
  ) -> Bool {
    guard let memory = tensor.memory else {
      write(tensor.bytes, at: offset, count: count, to: index, at: place)
      return true
    }
    return unsafe withInput(index) { input in
      precondition(place + count <= input.count)
      let row = unsafe UnsafeMutableRawBufferPointer(rebasing: input[place..<place + count])
      return unsafe memory.read(at: offset, into: row)
    }
  }

  /// Fills `count` bytes of input `index`, from `place` on, with the bytes from `offset` on.
  ///
  /// - Precondition: both hold so many.
  func write(_ bytes: [UInt8], at offset: Int, count: Int, to index: Int, at place: Int) {
    unsafe withInput(index) { input in
      let row = bytes[offset..<offset + count]
      precondition(place + count <= input.count)
      let destination = unsafe UnsafeMutableRawBufferPointer(rebasing: input[place..<place + count])
      // Sound: the bounds of both were checked, and the counts are the same.
      unsafe row.withUnsafeBytes { unsafe destination.copyMemory(from: $0) }
    }
  }

  /// Bytes of output `index` after the last inference.
  fileprivate func byteCount(ofOutput index: Int) -> Int {
    unsafe withOutput(index) { $0.count }
  }

  /// Appends all bytes of output `index`.
  func append(_ index: Int, to bytes: inout [UInt8]) {
    unsafe withOutput(index) { unsafe bytes.append(contentsOf: $0) }
  }

  /// Appends `count` bytes of output `index`, from `place` on.
  func append(_ index: Int, at place: Int, count: Int, to bytes: inout [UInt8]) {
    unsafe withOutput(index) { output in
      let row = unsafe UnsafeRawBufferPointer(rebasing: output[place..<place + count])
      unsafe bytes.append(contentsOf: row)
    }
  }
}
