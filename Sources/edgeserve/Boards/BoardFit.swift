import Agent
import BoardProfiles
import ByteParsing
import KernelDispatch
import KernelInterface
import ModelBundle
import Runtime
import TFLiteImport

/// Whether a model fits a board.
struct BoardFit: Encodable {
  enum Verdict: String, Encodable {
    /// The next version can be loaded beside it.
    case overlap
    /// It has to leave before the next version is loaded.
    case drainFirst = "drain-first"
    case no
  }

  var board: String
  var verdict: Verdict
  /// Bytes that one version of the model takes.
  var neededBytes: Int
  /// Bytes of the budget that are left to models, beside connections and one delivered model.
  var modelBytes: Int
  var budgetBytes: Int
  /// Whole versions of the model's bytes that the board may write in a day.
  var updatesPerDay: Int
  /// Bytes of a version after which the board's agent makes durable what it wrote.
  var syncStrideBytes: Int
  /// The tables that were planned for.
  var kernels: [String]
  /// Whether the board's own table was planned for; else the most that any table here takes.
  var isExact: Bool

  enum CodingKeys: String, CodingKey {
    case board, verdict, kernels
    case neededBytes = "needed_bytes"
    case modelBytes = "model_bytes"
    case budgetBytes = "budget_bytes"
    case updatesPerDay = "updates_per_day"
    case syncStrideBytes = "sync_stride_bytes"
    case isExact = "exact"
  }

  init(_ source: ModelSource, _ profile: BoardProfile) throws(CommandFailure) {
    let own = KernelTable.named(profile.facts.kernels)
    let tables = own.map { [$0] } ?? KernelTable.supported
    var needed = 0
    for table in tables {
      // Planned as the agent plans: what it uses of a file is copied.
      let plan = try source.plan(
        try source.graph(), table: table, threads: profile.choices.threads, copiesConstants: true)
      needed = max(needed, plan.memory.peakBytes)
    }
    board = profile.name
    neededBytes = needed
    budgetBytes = profile.budgetBytes
    modelBytes = AgentMemory.modelBudget(profile.budgetBytes, deliveredModels: 1)
    let written = max(1, source.bundle?.bytes.count ?? source.model.count)
    updatesPerDay = (profile.choices.dailyWritesMebibytes << 20) / written
    syncStrideBytes = profile.syncStrideBytes
    kernels = tables.map(\.name)
    isExact = own != nil
    verdict = Self.verdict(needed: needed, of: modelBytes)
  }

  static func verdict(needed: Int, of available: Int) -> Verdict {
    needed > available ? .no : needed > available / 2 ? .drainFirst : .overlap
  }

  /// For people.
  var words: String {
    switch verdict {
    case .overlap: "fits, with the next version beside it"
    case .drainFirst: "fits alone: it drains before the next version is loaded"
    case .no: "does not fit"
    }
  }

  /// Why a version must not be published for this board; nil when it may.
  var refusal: String? {
    guard case .no = verdict else { return nil }
    return
      "it does not fit \(board): it needs \(ByteSize.describe(neededBytes)), and of the budget "
      + "of \(ByteSize.describe(budgetBytes)) models get \(ByteSize.describe(modelBytes))"
  }
}
