internal import CEdgeServeClient

/// One connection to the agent, used by one thread at a time.
@safe final class Connection: @unchecked Sendable {
  /// Owned from init to deinit. Calls come from the thread of one worker; `interrupt` and `resume`, which the C library
  /// lets any thread call, only while the worker keeps this object alive.
  private let client: OpaquePointer

  init(_ configuration: EdgeServeClient.Configuration) throws(EdgeServeError) {
    var options = edgeserve_options()
    options.timeout_milliseconds = milliseconds(configuration.timeout)
    options.reconnect_milliseconds = milliseconds(configuration.reconnect)
    options.body_bytes_maximum = max(1, configuration.bodyBytesMaximum)
    var opened: OpaquePointer?
    let status = unsafe edgeserve_open(configuration.socketPath, &options, &opened)
    guard let opened = unsafe opened else {
      throw EdgeServeError(
        status == EDGESERVE_OUT_OF_MEMORY ? .outOfMemory : .invalidArgument,
        "the path \(configuration.socketPath) or a time of the configuration cannot be used")
    }
    unsafe client = opened
  }

  deinit { unsafe edgeserve_close(client) }

  func interrupt() { unsafe edgeserve_interrupt(client) }

  func resume() { unsafe edgeserve_resume(client) }

  private func check(_ status: edgeserve_status) throws(EdgeServeError) {
    guard status != EDGESERVE_OK else { return }
    throw EdgeServeError(status, unsafe edgeserve_last_error(client).pointee)
  }

  func isReady() throws(EdgeServeError) -> Bool {
    var isReady = false
    try check(unsafe edgeserve_server_ready(client, &isReady))
    return isReady
  }

  func isReady(_ model: String, _ version: ModelVersion) throws(EdgeServeError) -> Bool {
    var isReady = false
    let status = unsafe withOptionalCString(version.text) {
      unsafe edgeserve_model_ready(client, model, $0, &isReady)
    }
    try check(status)
    return isReady
  }

  func models() throws(EdgeServeError) -> [ServedModel] {
    var list: UnsafeMutablePointer<edgeserve_model_list>?
    try check(unsafe edgeserve_list_models(client, &list))
    defer { unsafe edgeserve_model_list_free(list) }
    let models = unsafe UnsafeBufferPointer(start: list!.pointee.models, count: list!.pointee.count)
    return unsafe models.map {
      unsafe ServedModel(name: String(cString: $0.name), version: String(cString: $0.version))
    }
  }

  func metadata(_ model: String, _ version: ModelVersion) throws(EdgeServeError) -> ModelMetadata {
    var metadata: UnsafeMutablePointer<edgeserve_metadata>?
    let status = unsafe withOptionalCString(version.text) {
      unsafe edgeserve_model_metadata(client, model, $0, &metadata)
    }
    try check(status)
    defer { unsafe edgeserve_metadata_free(metadata) }
    let read = unsafe metadata!.pointee
    return unsafe ModelMetadata(
      model: String(cString: read.model), platform: String(cString: read.platform),
      versions: strings(read.versions, read.version_count),
      inputs: try descriptions(read.inputs, read.input_count),
      outputs: try descriptions(read.outputs, read.output_count),
      labels: strings(read.labels, read.label_count))
  }

  func predict(
    _ model: String, _ version: ModelVersion, _ inputs: [Tensor], _ options: PredictionOptions
  ) throws(EdgeServeError) -> Prediction {
    try check(inputs, options)
    var response: UnsafeMutablePointer<edgeserve_response>?
    var request = unsafe edgeserve_request()
    unsafe request.timeout_milliseconds = options.timeout.map { max(1, milliseconds($0)) } ?? 0
    unsafe request.priority = options.priority.rawValue
    let status = unsafe model.withCString { name in
      unsafe withOptionalCString(version.text) { version in
        unsafe withOptionalCString(options.key) { key in
          unsafe request.model = name
          unsafe request.version = version
          unsafe request.key = key
          return unsafe withRequest(&request, inputs[...], [], (options.outputs ?? [])[...], []) {
            unsafe edgeserve_predict(client, &$0, &response)
          }
        }
      }
    }
    try check(status)
    defer { unsafe edgeserve_response_free(response) }
    let read = unsafe response!.pointee
    let outputs = unsafe UnsafeBufferPointer(start: read.outputs, count: read.output_count)
    var tensors: [Tensor] = []
    for index in outputs.indices { tensors.append(try unsafe tensor(outputs[index])) }
    return unsafe Prediction(
      model: String(cString: read.model), version: String(cString: read.version),
      fallback: read.fallback.map { unsafe String(cString: $0) }, outputs: tensors)
  }

  /// Refuses what the C library's arrays have no room for; it refuses the rest.
  private func check(
    _ inputs: [Tensor], _ options: PredictionOptions
  ) throws(EdgeServeError) {
    let rankMaximum = EDGESERVE_RANK_MAXIMUM
    if let tensor = inputs.first(where: { $0.shape.count > rankMaximum }) {
      throw EdgeServeError(
        .invalidArgument,
        "input \(tensor.name) has \(tensor.shape.count) extents, \(rankMaximum) at most are taken")
    }
    let tensorsMaximum = EDGESERVE_TENSORS_MAXIMUM
    let count = max(inputs.count, options.outputs?.count ?? 0)
    guard count <= tensorsMaximum else {
      throw EdgeServeError(
        .invalidArgument, "\(count) inputs or outputs, \(tensorsMaximum) at most are taken")
    }
  }

  /// Calls `body` while names and bytes of inputs and outputs lie where the request points.
  private func withRequest(
    _ request: inout edgeserve_request, _ inputs: ArraySlice<Tensor>, _ placed: [edgeserve_tensor],
    _ outputs: ArraySlice<String>, _ names: [UnsafePointer<CChar>?],
    _ body: (inout edgeserve_request) -> edgeserve_status
  ) -> edgeserve_status {
    if let input = inputs.first {
      return unsafe input.name.withCString { name in
        unsafe input.bytes.withUnsafeBytes { bytes in
          var tensor = unsafe edgeserve_tensor()
          unsafe tensor.name = name
          unsafe tensor.datatype = input.dataType.code
          unsafe tensor.rank = input.shape.count
          let shape = input.shape.map { Int64($0) }
          unsafe withUnsafeMutableBytes(of: &tensor.shape) { target in
            // Sound: `predict` has refused shapes that are longer than the array.
            unsafe shape.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
          }
          unsafe tensor.data = bytes.baseAddress
          unsafe tensor.byte_count = bytes.count
          return unsafe withRequest(
            &request, inputs.dropFirst(), placed + [tensor], outputs, names, body)
        }
      }
    }
    if let output = outputs.first {
      return unsafe output.withCString { name in
        unsafe withRequest(&request, inputs, placed, outputs.dropFirst(), names + [name], body)
      }
    }
    return unsafe placed.withUnsafeBufferPointer { placed in
      unsafe names.withUnsafeBufferPointer { names in
        unsafe request.inputs = placed.baseAddress
        unsafe request.input_count = placed.count
        unsafe request.outputs = names.baseAddress
        unsafe request.output_count = names.count
        return unsafe body(&request)
      }
    }
  }
}

/// Whole milliseconds, rounded up, 0 for what is below zero; a day more than the C library takes for what is above.
private func milliseconds(_ duration: Duration) -> UInt32 {
  let parts = duration.components
  guard parts.seconds >= 0, parts.attoseconds >= 0 else { return 0 }
  let whole = min(parts.seconds, 2 * 86_400) * 1000
  return UInt32(whole + (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
}

private func withOptionalCString<Result>(
  _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
  guard let text else { return body(nil) }
  return unsafe text.withCString { unsafe body($0) }
}

/// - Precondition: `list` points at `count` texts.
@unsafe private func strings(
  _ list: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int
) -> [String] {
  unsafe UnsafeBufferPointer(start: list, count: count).map { unsafe String(cString: $0!) }
}

@unsafe private func shape(_ tensor: edgeserve_tensor) -> [Int] {
  var tensor = unsafe tensor
  return unsafe withUnsafeBytes(of: &tensor.shape) { bytes in
    unsafe bytes.bindMemory(to: Int64.self).prefix(tensor.rank).map { Int($0) }
  }
}

@unsafe private func dataType(_ tensor: edgeserve_tensor) throws(EdgeServeError) -> DataType {
  let name = unsafe edgeserve_datatype_name(tensor.datatype).map { unsafe String(cString: $0) }
  guard let type = DataType(rawValue: name ?? "") else {
    throw EdgeServeError(.malformedAnswer, "the datatype \(name ?? "without a name") is not known")
  }
  return type
}

@unsafe private func tensor(_ tensor: edgeserve_tensor) throws(EdgeServeError) -> Tensor {
  let bytes = unsafe UnsafeRawBufferPointer(start: tensor.data, count: tensor.byte_count)
  return unsafe Tensor(
    String(cString: tensor.name), try dataType(tensor), shape: shape(tensor), bytes: [UInt8](bytes))
}

@unsafe private func descriptions(
  _ list: UnsafePointer<edgeserve_tensor>?, _ count: Int
) throws(EdgeServeError) -> [TensorDescription] {
  let tensors = unsafe UnsafeBufferPointer(start: list, count: count)
  var result: [TensorDescription] = []
  for index in tensors.indices {
    result.append(
      try unsafe TensorDescription(
        name: String(cString: tensors[index].name), dataType: dataType(tensors[index]),
        shape: shape(tensors[index])))
  }
  return result
}
