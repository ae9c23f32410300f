import Glibc
import Runtime
import Synchronization
import Testing

@Suite("Compute pool", .serialized)
struct ComputePoolTests {
  /// Counts by task, from any thread.
  final class Counts: Sendable {
    private let counts: Mutex<[Int]>

    init(_ size: Int) { counts = Mutex([Int](repeating: 0, count: size)) }

    func add(_ index: Int) { counts.withLock { $0[index] += 1 } }
    var all: [Int] { counts.withLock { $0 } }
  }

  @Test("every task runs exactly once", arguments: [1, 2, 4, 7], [0, 1, 2, 3, 64, 1000])
  func eachTaskOnce(threads: Int, tasks: Int) {
    let pool = ComputePool(threads: threads)
    let counts = Counts(tasks)
    pool.run(tasks: tasks) { task, _ in counts.add(task) }
    #expect(counts.all == [Int](repeating: 1, count: tasks))
  }

  @Test("jobs that follow each other closely do not mix", arguments: [2, 4])
  func manyJobs(threads: Int) {
    let pool = ComputePool(threads: threads)
    let sum = Atomic<Int>(0)
    for job in 0..<20_000 {
      let before = sum.load(ordering: .relaxed)
      pool.run(tasks: 1 + job % 8) { task, _ in sum.add(task + 1, ordering: .relaxed) }
      let tasks = 1 + job % 8
      #expect(sum.load(ordering: .relaxed) - before == tasks * (tasks + 1) / 2)
    }
  }

  @Test("workers that have parked are woken for the next job")
  func parkedWorkersWake() {
    let pool = ComputePool(threads: 4)
    for _ in 0..<20 {
      let counts = Counts(4)
      let started = Atomic<Int>(0)
      // Each task waits for another thread, so one thread alone would never end.
      pool.run(tasks: 2) { task, _ in
        started.add(1, ordering: .relaxed)
        while started.load(ordering: .relaxed) < 2 { usleep(10) }
        counts.add(task)
      }
      #expect(counts.all == [1, 1, 0, 0])
      usleep(2_000)
    }
  }

  @Test("no two tasks run on one thread index at the same time")
  func threadIndicesAreExclusive() {
    let pool = ComputePool(threads: 4)
    let used = Mutex([Bool](repeating: false, count: 4))
    for _ in 0..<200 {
      pool.run(tasks: 32) { _, thread in
        let wasUsed = used.withLock { used in
          defer { used[thread] = true }
          return used[thread]
        }
        #expect(!wasUsed)
        for _ in 0..<100 { sched_yield() }
        used.withLock { $0[thread] = false }
      }
    }
  }

  @Test("two callers at once both finish their tasks")
  func callersDoNotWait() async {
    let pool = ComputePool(threads: 3)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<500 {
            let counts = Counts(16)
            pool.run(tasks: 16) { task, _ in counts.add(task) }
            guard counts.all == [Int](repeating: 1, count: 16) else { return false }
          }
          return true
        }
      }
      for await finished in group { #expect(finished) }
    }
  }
}
