import ByteParsing
import KernelInterface
import MemoryPlanning
import ModelGraph
import Tensors

/// The program of a canonical graph while it is made: steps, the buffers they use, the constants to pack.
///
/// Step `i` happens at time `i + 1` of the buffers' lifetimes; inputs are written at time 0, and outputs are read at
/// the time after the last step.
struct Lowering {
  let graph: Graph
  let table: KernelTable
  let threads: Int
  /// Whether no step may read a constant from the mapped file.
  let copiesConstants: Bool
  private(set) var steps: [Step] = []
  var packed: [PackedConstant] = []
  var buffers: [BufferRequest] = []
  /// What the program keeps between inferences.
  var variables: [StoredVariable] = []
  /// What variables become, made in their places.
  var replacements: Set<ValueID> = []
  /// Buffers in the bytes of variables, under any name.
  private var keptBuffers: Set<Int> = []
  /// Scratch bytes that the hungriest step wants for each thread.
  private(set) var scratchBytesPerThread = 0
  private var sources: [Source?]
  /// Constants that some step reads from the mapped file.
  private var fileConstants: Set<Int> = []
  private var realigned: [Int: PackedID] = [:]
  /// Results of functions that their reader computes too, and the functions once they are known.
  let foldedFunctions: Set<ValueID>
  var functions: [ValueID: LookupTableInt8] = [:]
  /// Values that steps before have quantised row by row.
  var quantizedRows: [QuantizedRowsKey: QuantizedRows] = [:]
  /// Bytes of constants that the steps of nested programs read in place.
  var nestedFileBytes = 0

  init(
    _ graph: Graph, table: KernelTable, threads: Int, copiesConstants: Bool = false
  ) throws(RuntimeError) {
    self.copiesConstants = copiesConstants
    self.graph = graph
    self.table = table
    self.threads = threads
    foldedFunctions = Self.foldedFunctions(of: graph)
    sources = [Source?](repeating: nil, count: graph.values.count)
    for input in graph.inputs where graph[input].constant == nil {
      sources[input.index] = .buffer(try makeBuffer(for: input))
    }
    try makeVariables()
    try lowerNodes()
    try storeVariables()
    for output in graph.outputs { _ = source(output) }
  }

  /// Bytes of constants that steps read in place.
  var fileBackedBytes: Int {
    fileConstants.reduce(nestedFileBytes) { $0 + (graph.values[$1].constant?.count ?? 0) }
  }

  private mutating func lowerNodes() throws(RuntimeError) {
    var unsupported: [MissingKernel] = []
    for node in graph.nodes {
      do {
        try lower(node)
      } catch .unsupported(let operators) {
        unsupported += operators
        // Its results get places, so that the nodes after it can be judged too.
        for output in node.outputs { _ = try destination(output) }
      }
    }
    guard unsupported.isEmpty else { throw .unsupported(Lowering.counted(unsupported)) }
  }

  /// One entry for each kind, in order of first appearance.
  private static func counted(_ operators: [MissingKernel]) -> [MissingKernel] {
    var kinds: [MissingKernel] = []
    var counts: [MissingKernel: Int] = [:]
    for one in operators {
      if counts[one] == nil { kinds.append(one) }
      counts[one, default: 0] += one.count
    }
    return kinds.map { kind in
      var kind = kind
      kind.count = counts[kind] ?? 0
      return kind
    }
  }

  // MARK: Operands and results

  /// The time of the step that is lowered next.
  private var now: Int { steps.count + 1 }

  /// Where the step to be added finds a value, which stays alive until then.
  ///
  /// With `steps`, it stays alive until so many steps later.
  mutating func source(_ id: ValueID, steps: Int = 0) -> Source {
    use(id, steps: steps)
    if let source = sources[id.index] { return source }
    guard let constant = graph[id].constant else {
      preconditionFailure("a validated graph makes every value before it is read")
    }
    let elementBytes = max(graph[id].type.dataType.bitWidth / 8, 1)
    guard !copiesConstants, constant.isAligned(to: elementBytes) else {
      let copy = realigned[id.index] ?? pack(
        PackedConstant(copyOf: constant, canBeMapped: graph[id].type.dataType.isComputedWith))
      realigned[id.index] = copy
      return .packed(copy)
    }
    fileConstants.insert(id.index)
    return .constant(constant)
  }

  /// Where the step to be added writes a value, which may overwrite one of the operands named.
  mutating func destination(
    _ id: ValueID, overwriting operands: [ValueID] = []
  ) throws(RuntimeError) -> BufferID {
    if case .buffer(let buffer)? = sources[id.index] { return buffer }
    let candidates = operands.compactMap { bufferIndex($0) }
    // The one that dies here is known only later; the youngest is the likeliest.
    let sharing = candidates.max().map { BufferRequest.Sharing.inPlace(of: $0) }
    let buffer = try makeBuffer(for: id, sharing: sharing ?? .none)
    sources[id.index] = .buffer(buffer)
    return buffer
  }

  /// Makes a value another name for the bytes of an operand.
  mutating func alias(_ id: ValueID, of operand: ValueID) throws(RuntimeError) {
    guard let index = bufferIndex(operand) else {
      sources[id.index] = source(operand)
      return
    }
    let buffer = try makeBuffer(for: id, sharing: .alias(of: index))
    if keptBuffers.contains(index) { keptBuffers.insert(buffer.index) }
    sources[id.index] = .buffer(buffer)
  }

  /// Gives a variable bytes that are its own from the first step to the last.
  mutating func makeVariable(_ id: ValueID) throws(RuntimeError) -> BufferID {
    let buffer = try makeBuffer(for: id)
    buffers[buffer.index].lifetime = 0...now
    keptBuffers.insert(buffer.index)
    sources[id.index] = .buffer(buffer)
    return buffer
  }

  /// Whether a value lies in the bytes of a variable.
  func isKept(_ id: ValueID) -> Bool { bufferIndex(id).map(keptBuffers.contains) ?? false }

  /// Makes a value be found elsewhere from now on.
  mutating func move(_ id: ValueID, to buffer: BufferID) { sources[id.index] = .buffer(buffer) }

  /// A buffer that lives from the step to be added to the last of so many that follow it.
  mutating func temporary(byteCount: Int, steps: Int = 1) -> BufferID {
    buffers.append(BufferRequest(byteCount: byteCount, lifetime: now...(now + steps)))
    return BufferID(index: buffers.count - 1)
  }

  /// Keeps a buffer for the step to be added and those that follow it, `steps` together.
  mutating func keep(_ buffer: BufferID, steps: Int) {
    let lifetime = buffers[buffer.index].lifetime
    let last = max(lifetime.upperBound, now + steps - 1)
    buffers[buffer.index].lifetime = lifetime.lowerBound...last
  }

  /// Keeps a value alive until the step to be added.
  mutating func use(_ id: ValueID, steps: Int = 0) {
    guard let index = bufferIndex(id) else { return }
    let lifetime = buffers[index].lifetime
    buffers[index].lifetime = lifetime.lowerBound...max(lifetime.upperBound, now + steps)
  }

  private func bufferIndex(_ id: ValueID) -> Int? {
    if case .buffer(let buffer)? = sources[id.index] { return buffer.index }
    return nil
  }

  private mutating func makeBuffer(
    for id: ValueID, sharing: BufferRequest.Sharing = .none
  ) throws(RuntimeError) -> BufferID {
    let value = graph[id]
    guard let byteCount = value.type.byteCount, byteCount <= MemoryPlan.byteCountMaximum else {
      throw .valueTooLarge(name: value.name, shape: value.type.shape)
    }
    let born = graph.inputs.contains(id) ? 0 : now
    buffers.append(
      BufferRequest(byteCount: byteCount, lifetime: born...now, sharing: sharing))
    return BufferID(index: buffers.count - 1)
  }

  // MARK: Steps and constants

  /// Adds a constant to be written when the model is prepared.
  mutating func pack(_ constant: PackedConstant) -> PackedID {
    packed.append(constant)
    return PackedID(index: packed.count - 1)
  }

  /// Grants the step to be added scratch for each thread.
  mutating func needScratch(bytesPerThread: Int) {
    scratchBytesPerThread = max(scratchBytesPerThread, MemoryPlan.aligned(bytesPerThread))
  }

  /// Adds the step that comes next.
  mutating func add(_ step: Step) { steps.append(step) }

  /// Where the value is after the last step; nil when nothing made it.
  func location(of id: ValueID) -> Source? {
    sources[id.index] ?? realigned[id.index].map { .packed($0) }
      ?? graph[id].constant.map { .constant($0) }
  }
}

extension DataType {
  /// Whether kernels take any bits of such elements, as none of them counts, names or selects.
  fileprivate var isComputedWith: Bool {
    switch self {
    case .float32, .float16, .int8, .uint8, .int16, .int4: true
    case .int32, .int64, .bool, .uint16, .uint32, .uint64, .float64, .complex64, .string: false
    }
  }
}
