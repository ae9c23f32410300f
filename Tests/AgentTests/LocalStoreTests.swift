import Glibc
import Serving
import TestSupport
import Testing

@testable import Agent

@Suite("Local store")
struct LocalStoreTests {
  private static func file(_ version: Int64, size: Int64 = 10) -> VersionFile {
    VersionFile(
      version: version, path: "/\(version)",
      identity: FileIdentity(device: 1, inode: UInt64(version), size: size, modified: 5))
  }

  private static func load(_ version: Int64, size: Int64 = 10) -> LocalStore.Step {
    .load(file(version, size: size), keeping: [])
  }

  @Test("takes a settled file at once")
  func settled() {
    var store = LocalStore()
    #expect(store.next([Self.file(1)], settled: { _ in true }, now: 0) == Self.load(1))
  }

  @Test("takes a fresh file when it has not changed for one poll")
  func halfCopied() {
    var store = LocalStore()
    #expect(store.next([Self.file(1, size: 1)], settled: { _ in false }, now: 0) == nil)
    #expect(store.next([Self.file(1, size: 2)], settled: { _ in false }, now: 1) == nil)
    #expect(
      store.next([Self.file(1, size: 2)], settled: { _ in false }, now: 2)
        == Self.load(1, size: 2))
  }

  @Test("wants the highest version, and nothing below what it loaded")
  func highest() {
    var store = LocalStore()
    let found = [Self.file(3), Self.file(2)]
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.load(3))
    #expect(store.next(found, settled: { _ in true }, now: 1) == nil)
    store.finished(success: true, now: 2)
    #expect(store.next([Self.file(2)], settled: { _ in true }, now: 3) == nil)
    #expect(store.next([], settled: { _ in true }, now: 4) == nil)
    #expect(store.next([Self.file(4)], settled: { _ in true }, now: 5) == Self.load(4))
  }

  @Test("falls back to a lower version only while nothing was loaded")
  func fallBack() {
    var store = LocalStore()
    let found = [Self.file(2), Self.file(1)]
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.load(2))
    store.finished(success: false, now: 0)
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.load(1))
    store.finished(success: true, now: 0)
    #expect(store.next(found, settled: { _ in true }, now: 0) == nil)
  }

  @Test("tries a refused file again when it changed, after a wait that doubles")
  func retry() {
    var store = LocalStore()
    #expect(store.next([Self.file(1)], settled: { _ in true }, now: 0) != nil)
    store.finished(success: false, now: 0)
    #expect(store.next([Self.file(1)], settled: { _ in true }, now: 10_000) == nil)
    let changed = [Self.file(1, size: 11)]
    #expect(store.next(changed, settled: { _ in true }, now: 999) == nil)
    #expect(store.next(changed, settled: { _ in true }, now: 1000) == .load(changed[0], keeping: []))
    store.finished(success: false, now: 1000)
    let again = [Self.file(1, size: 12)]
    #expect(store.next(again, settled: { _ in true }, now: 2999) == nil)
    #expect(store.next(again, settled: { _ in true }, now: 3000) == .load(again[0], keeping: []))
  }

  @Test("tries what pipelines held back again when they are others, and nothing else")
  func misfits() {
    let found = [Self.file(2), Self.file(1)]
    for isMisfit in [true, false] {
      var store = LocalStore()
      _ = Self.run(&store, [1])
      #expect(store.next(found, settled: { _ in true }, now: 0) == Self.load(2))
      store.finished(success: false, isMisfit: isMisfit, now: 0)
      #expect(store.next(found, settled: { _ in true }, now: 10_000) == nil)
      store.forgetMisfits()
      let again = store.next(found, settled: { _ in true }, now: 10_001)
      #expect(again == (isMisfit ? Self.load(2) : nil))
    }
  }

  @Test("brings a version back that was lost, however often that fails at first")
  func lost() {
    var store = LocalStore()
    _ = Self.run(&store, [1])
    let found = [Self.file(2), Self.file(1)]
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.load(2))
    store.lose(1)
    store.finished(success: false, now: 0)
    #expect(store.loaded == [])
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.load(1))
    store.finished(success: false, now: 0)
    #expect(store.next(found, settled: { _ in true }, now: 999) == nil)
    #expect(store.next(found, settled: { _ in true }, now: 1000) == Self.load(1))
    store.finished(success: true, now: 1000)
    #expect(store.loaded == [1])
    #expect(store.next(found, settled: { _ in true }, now: 100_000) == nil)
  }

  /// What a store does until it has nothing more to do, all loads but those of `bad` succeeding.
  private static func run(
    _ store: inout LocalStore, _ versions: [Int64], bad: Set<Int64> = []
  ) -> [LocalStore.Step] {
    var steps: [LocalStore.Step] = []
    while let step = store.next(
      versions.sorted(by: >).map { file($0) }, settled: { _ in true }, now: 0)
    {
      steps.append(step)
      if case .load(let file, _) = step {
        store.finished(success: !bad.contains(file.version), now: 0)
      }
    }
    return steps
  }

  @Test("keeps the latest N, one coming in the place of the lowest")
  func latestTwo() {
    var store = LocalStore(policy: .latest(2))
    #expect(
      Self.run(&store, [1, 2, 3]) == [
        .load(Self.file(3), keeping: []), .load(Self.file(2), keeping: [3]),
      ])
    #expect(Self.run(&store, [1, 2, 3, 4]) == [.load(Self.file(4), keeping: [3])])
    #expect(store.loaded == [3, 4])
    // What cannot be loaded gives way to what can.
    var other = LocalStore(policy: .latest(2))
    #expect(
      Self.run(&other, [1, 2, 3], bad: [2]) == [
        .load(Self.file(3), keeping: []), .load(Self.file(2), keeping: [3]),
        .load(Self.file(1), keeping: [3]),
      ])
    #expect(other.loaded == [1, 3])
  }

  @Test("keeps all, and those that are named alone")
  func allAndSpecific() {
    var store = LocalStore(policy: .all)
    _ = Self.run(&store, [1, 2, 3])
    #expect(store.loaded == [1, 2, 3])
    store.policy = .specific([1, 5])
    #expect(Self.run(&store, [1, 2, 3]) == [.unload(2), .unload(3)])
    #expect(Self.run(&store, [1, 2, 3, 5]) == [.load(Self.file(5), keeping: [1])])
    // Nothing leaves for versions that are not there.
    store.policy = .specific([9])
    #expect(Self.run(&store, [1, 2, 3, 5]) == [])
    #expect(store.loaded == [1, 5])
  }

  @Test("a pin goes before the policy, and what it replaces comes back with its end")
  func pin() {
    var store = LocalStore(policy: .latest(1))
    _ = Self.run(&store, [1, 2])
    store.pin = 1
    #expect(Self.run(&store, [1, 2, 3]) == [.load(Self.file(1), keeping: [])])
    store.pin = nil
    #expect(Self.run(&store, [1, 2, 3]) == [.load(Self.file(3), keeping: [])])
  }

  @Test("finds numbered directories, the highest first, and the three kinds of file")
  func scan() {
    let directory = TemporaryDirectory()
    for (name, file) in [
      ("1", "model.tflite"), ("00000010", "bundle"), ("9", "digits.tflite"), ("x", "model.tflite"),
      ("-1", "model.tflite"), ("0", "model.tflite"), ("5", "notes.txt"),
      ("99999999999999999999", "model.tflite"),
    ] {
      unsafe mkdir(directory.path + "/" + name, 0o755)
      directory.write(name + "/" + file, "content")
    }
    directory.write("9/readme", "")
    let found = VersionScan.versions(at: directory.path)
    #expect(found.map(\.version) == [10, 9, 1])
    #expect(
      found.map { String($0.path.dropFirst(directory.path.count)) } == [
        "/00000010/bundle", "/9/digits.tflite", "/1/model.tflite",
      ])
  }

  @Test("takes a directory with two candidates for none")
  func ambiguous() {
    let directory = TemporaryDirectory()
    unsafe mkdir(directory.path + "/1", 0o755)
    directory.write("1/a.tflite", "a")
    directory.write("1/b.tflite", "b")
    #expect(VersionScan.versions(at: directory.path).isEmpty)
  }

  @Test("takes a file for version 1, and finds nothing where nothing is")
  func fileAndNothing() {
    let directory = TemporaryDirectory()
    directory.write("m.tflite", "content")
    #expect(VersionScan.versions(at: directory.path + "/m.tflite").map(\.version) == [1])
    #expect(VersionScan.versions(at: directory.path + "/none").isEmpty)
  }

  @Test("says why it finds nothing: no path, no version, or a model of another kind")
  func absence() {
    let directory = TemporaryDirectory()
    #expect(VersionAbsence.sentence(directory.path + "/none").contains("nothing lies"))
    unsafe mkdir(directory.path + "/1", 0o755)
    #expect(VersionAbsence.sentence(directory.path).contains("no directory, named by a number"))
    directory.write("1/saved_model.pb", "")
    #expect(VersionAbsence.sentence(directory.path).contains("is a SavedModel"))
    #expect(VersionAbsence.sentence(directory.path + "/1").contains("is a SavedModel"))
  }
}
