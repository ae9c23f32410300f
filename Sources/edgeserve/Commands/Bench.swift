import ArgumentParser
import Glibc
import KernelDispatch
import KernelInterface
import Runtime

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times one inference of a model file.",
    discussion: """
      A timed inference copies the inputs in, runs, and copies the outputs out. The inputs are the same noise \
      every time.

        edgeserve bench keyword.tflite --runs 500 --profile
        edgeserve bench keyword.tflite --threads 4 --json
      """)

  /// Runs before anything is timed.
  private static let warmUpRuns = 10
  /// The most runs of one measurement, for which room is made beforehand.
  private static let runsMaximum = 10_000_000

  @Argument(help: "A model file or a bundle.")
  var file: String

  @Argument(help: ArgumentHelp("With --worker: threads.", visibility: .hidden))
  var workerThreads: Int?

  @Option(help: "Threads that share one inference.")
  var threads = 1

  @Option(help: "The kernel table to use, instead of the best one here.")
  var kernels: String?

  @Option(help: "Inferences to time.")
  var runs = 200

  @Option(
    name: .customLong("weights-cache"),
    help: "A directory where packed weights are kept, as an agent keeps them in its state directory.")
  var weightsCache: String?

  @Flag(help: "Time each operator too.")
  var profile = false

  @Flag(help: "Print one JSON document.")
  var json = false

  @Flag(
    help: """
      Serve a side-by-side benchmark: print 'ready LOAD_NS PEAK_RSS_KB', then answer each line 'run N' with N \
      latencies in nanoseconds. Takes the thread count as a second argument.
      """)
  var worker = false

  func validate() throws {
    guard (1...ComputePool.threadsMaximum).contains(workerThreads ?? threads) else {
      throw ValidationError("Threads must be 1 to \(ComputePool.threadsMaximum).")
    }
    guard (1...Bench.runsMaximum).contains(runs) else {
      throw ValidationError("--runs must be 1 to \(Bench.runsMaximum).")
    }
    guard workerThreads == nil || worker else {
      throw ValidationError("A second argument is the thread count of --worker.")
    }
  }

  func run() throws {
    let table = try KernelTable.chosen(kernels)
    let session = try BenchSession(path: file, table: table, threads: workerThreads ?? threads, weightsCache: weightsCache)
    try session.expectResult(of: file)
    if worker {
      // Each answer leaves at once, also into a pipe.
      serve(session, nextLine: { readLine() }) { line in
        print(line)
        fflush(nil)
      }
    } else {
      let document = measure(session)
      if json { try printJSON(document) } else { document.lines.forEach { print($0) } }
    }
  }

  /// Times the runs asked for.
  func measure(_ session: BenchSession) -> BenchDocument {
    for _ in 0..<Bench.warmUpRuns { _ = session.time() }
    let latencies = (0..<runs).map { _ in session.time() }
    var operators: [BenchDocument.Operator]?
    if profile {
      var nanoseconds = [UInt64](repeating: 0, count: session.model.steps.count)
      for _ in 0..<runs { session.profile(&nanoseconds) }
      operators = BenchDocument.Operator.list(
        session.model.steps, nanoseconds: nanoseconds, runs: runs)
    }
    return BenchDocument(
      model: file, threads: threads, kernels: session.model.kernels, runs: runs,
      latency: BenchDocument.Latency(latencies),
      prepareMilliseconds: Double(session.prepareNanoseconds) / 1e6,
      memory: MemoryDocument(session.model.memory, mappedBytes: session.mappedBytes),
      operators: operators)
  }

  /// Answers one line after another until there is none.
  func serve(_ session: BenchSession, nextLine: () -> String?, say: (String) -> Void) {
    let warm = session.time()
    say("ready \(session.prepareNanoseconds + warm) \(peakResidentKilobytes())")
    while let line = nextLine() {
      let words = line.split(separator: " ")
      guard words.count == 2, words[0] == "run", let count = Int(words[1]),
        (1...Bench.runsMaximum).contains(count)
      else {
        say("")
        continue
      }
      let latencies = (0..<count).map { _ in session.time() }
      say(latencies.map { "\($0)" }.joined(separator: " "))
    }
  }

  private func peakResidentKilobytes() -> Int {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }
}

extension BenchDocument {
  /// For people.
  fileprivate var lines: [String] {
    var lines = [
      "model    \(model)",
      "kernels  \(kernels), \(threads) \(threads == 1 ? "thread" : "threads")",
      memory.line,
      "prepare  \(decimal(prepareMilliseconds, digits: 2)) ms",
      "latency  \(latency.line), \(runs) runs",
    ]
    guard let operators else { return lines }
    var table = TextTable([
      ("µs", .right), ("share", .right), ("GMAC/s", .right), ("bytes", .right),
      ("operator", .left), ("kernel", .left), ("output", .left),
    ])
    for one in operators {
      table.append([
        decimal(one.microseconds, digits: 1), decimal(one.share * 100, digits: 1) + " %",
        one.macs == 0 ? "" : decimal(one.macsPerSecond / 1e9, digits: 2), "\(one.bytes)",
        one.name, one.kernel, shortened(one.output),
      ])
    }
    lines.append("")
    return lines + table.lines
  }
}

extension BenchDocument.Latency {
  fileprivate var line: String {
    let figures = [("min", min), ("p50", p50), ("p90", p90), ("p99", p99), ("mean", mean)]
    return figures.map { "\($0) \(decimal($1, digits: 1))" }.joined(separator: ", ") + " µs"
  }
}
