import ByteParsing
import Glibc
import ModelBundle
import NumPyFiles

/// The committed digits classifiers and test pictures, found from this program's own path.
struct DemoFixtures {
  private let directory: String
  /// The body of a prediction request of each test picture.
  let requests: [[UInt8]]
  /// The digit that each test picture shows.
  let labels: [Int]

  /// - Parameter directory: what holds `digits`; nil to look for `Tests/Fixtures` above this program and here.
  init(directory: String?) throws {
    self.directory = try directory ?? Self.find()
    let digits = self.directory + "/digits"
    let pictures = try Self.array(digits + "/test_images.npy")
    labels = try Self.array(digits + "/test_labels.npy").elements.array.map(Int.init)
    let pixels = pictures.elements.array
    guard !labels.isEmpty, pixels.count == labels.count * 64 else {
      throw CommandFailure(.badInput, "\(digits) holds no test split of 8 x 8 pictures")
    }
    requests = labels.indices.map { picture in
      let values = pixels[(picture * 64)..<(picture * 64 + 64)]
        .map { String(Int8(bitPattern: $0)) }.joined(separator: ",")
      return Array(
        (#"{"inputs":[{"name":"image","datatype":"INT8","shape":[1,8,8,1],"data":["# + values
          + "]}]}").utf8)
    }
  }

  /// A version of the classifier with its labels and golden vectors, packed.
  func bundle(version: Int64) throws -> Bundle {
    let digits = directory + "/digits"
    let labels = try DemoFiles.read(digits + "/labels.txt").split(separator: UInt8(ascii: "\n"))
    let contents = BundleContents(
      modelName: "digits",
      model: try DemoFiles.read("\(digits)/v\(version)/model.tflite"),
      labels: labels.map { String(decoding: $0, as: UTF8.self) },
      golden: GoldenVectors(vectors: try Self.vectors("\(digits)/v\(version)/golden")))
    return try Bundle(ByteView(try contents.encode()))
  }

  private static func vectors(_ directory: String) throws -> [GoldenVectors.Vector] {
    var vectors: [GoldenVectors.Vector] = []
    while true {
      let path = "\(directory)/\(vectors.count)"
      guard unsafe access(path + "_in_0.npy", R_OK) == 0 else { return vectors }
      vectors.append(
        GoldenVectors.Vector(
          inputs: [try array(path + "_in_0.npy").elements],
          outputs: [try array(path + "_out_0.npy").elements]))
    }
  }

  private static func array(_ path: String) throws -> NumPyFile {
    do throws(NumPyError) {
      return try NumPyFile(path: path)
    } catch {
      throw CommandFailure(.badInput, "\(path) cannot be used: \(error)")
    }
  }

  /// `Tests/Fixtures` in a directory above the program, or in the working directory.
  private static func find() throws -> String {
    var directory = try DemoProcess.ownProgram()[...]
    while let slash = directory.lastIndex(of: "/") {
      directory = directory[..<slash]
      let candidate = directory + "/Tests/Fixtures"
      if unsafe access(candidate + "/digits", R_OK) == 0 { return String(candidate) }
    }
    if unsafe access("Tests/Fixtures/digits", R_OK) == 0 { return "Tests/Fixtures" }
    throw CommandFailure(
      .badInput, "the digits models are not beside this program: name their directory with --fixtures")
  }
}
