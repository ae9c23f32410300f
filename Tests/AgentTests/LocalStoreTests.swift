import Glibc
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

  @Test("takes a settled file at once")
  func settled() {
    var store = LocalStore()
    #expect(store.next([Self.file(1)], settled: { _ in true }, now: 0) == Self.file(1))
  }

  @Test("takes a fresh file when it has not changed for one poll")
  func halfCopied() {
    var store = LocalStore()
    #expect(store.next([Self.file(1, size: 1)], settled: { _ in false }, now: 0) == nil)
    #expect(store.next([Self.file(1, size: 2)], settled: { _ in false }, now: 1) == nil)
    #expect(
      store.next([Self.file(1, size: 2)], settled: { _ in false }, now: 2)
        == Self.file(1, size: 2))
  }

  @Test("wants the highest version, and nothing below what it loaded")
  func highest() {
    var store = LocalStore()
    let found = [Self.file(3), Self.file(2)]
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.file(3))
    #expect(store.next(found, settled: { _ in true }, now: 1) == nil)
    store.finished(success: true, now: 2)
    #expect(store.next([Self.file(2)], settled: { _ in true }, now: 3) == nil)
    #expect(store.next([], settled: { _ in true }, now: 4) == nil)
    #expect(store.next([Self.file(4)], settled: { _ in true }, now: 5) == Self.file(4))
  }

  @Test("falls back to a lower version only while nothing was loaded")
  func fallBack() {
    var store = LocalStore()
    let found = [Self.file(2), Self.file(1)]
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.file(2))
    store.finished(success: false, now: 0)
    #expect(store.next(found, settled: { _ in true }, now: 0) == Self.file(1))
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
    #expect(store.next(changed, settled: { _ in true }, now: 1000) == changed[0])
    store.finished(success: false, now: 1000)
    let again = [Self.file(1, size: 12)]
    #expect(store.next(again, settled: { _ in true }, now: 2999) == nil)
    #expect(store.next(again, settled: { _ in true }, now: 3000) == again[0])
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
}
