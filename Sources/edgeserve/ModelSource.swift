import ByteParsing
import KernelDispatch
import KernelInterface
import ModelBundle
import ModelGraph
import Runtime
import TFLiteImport

/// A model on disk, as commands take it: a model file, or a bundle that holds one.
struct ModelSource {
  enum Format: String, Codable {
    case tflite, bundle
  }

  /// What the content, not the name, says that the file is.
  let format: Format
  /// The bundle around the model, when there is one.
  let bundle: Bundle?
  /// The model in its own format, a view of the mapped file.
  let model: ByteView
  private let path: String

  /// Maps the file at `path`; fails as bad input when it cannot be read or holds no model.
  init(path: String) throws(CommandFailure) {
    self.path = path
    if let foreign = ForeignModel(path: path) {
      throw CommandFailure(.badInput, "\(path): \(foreign.sentence)")
    }
    let bytes: ByteView
    do throws(ParsingError) {
      bytes = try MappedFile(path: path).bytes
    } catch {
      throw ModelSource.failure(path, error)
    }
    guard Bundle.isBundle(path: path) else {
      if let foreign = ForeignModel(bytes, path: path) {
        throw CommandFailure(.badInput, "\(path): \(foreign.sentence)")
      }
      (format, bundle, model) = (.tflite, nil, bytes)
      return
    }
    do throws(BundleError) {
      let opened = try Bundle(bytes)
      (format, bundle, model) = (.bundle, opened, opened.model)
    } catch {
      throw ModelSource.failure(path, error)
    }
  }

  /// An entry point of the model as a graph, not yet canonical; nil for the default one.
  func graph(signature: String? = nil) throws(CommandFailure) -> Graph {
    do throws(TFLiteError) {
      return try TFLiteModel.graph(from: model, signature: signature)
    } catch .signatureNotFound(let key) {
      let keys = try? TFLiteModel.signatureKeys(in: model)
      let known = (keys ?? []).map { "'\($0)'" }.joined(separator: ", ")
      throw CommandFailure(
        .badInput,
        "the model has no signature '\(key)'" + (known.isEmpty ? "" : "; it has \(known)"))
    } catch {
      throw ModelSource.failure(path, error)
    }
  }

  /// The graph lowered and planned.
  func plan(
    _ graph: Graph, table: KernelTable, threads: Int, copiesConstants: Bool = false
  ) throws(CommandFailure) -> Plan {
    do throws(RuntimeError) {
      return try Plan(
        graph, table: table, threads: threads, copiesConstants: copiesConstants)
    } catch {
      throw ModelSource.failure(path, error)
    }
  }

  private static func failure(_ path: String, _ error: any Error) -> CommandFailure {
    CommandFailure(.badInput, "\(path): \(sentence(error))")
  }

  private static func sentence(_ error: any Error) -> String {
    switch error {
    case ParsingError.unreadableFile(let number): "cannot be read: \(systemMessage(number))"
    case let error as TFLiteError: ModelErrorSentence.of(error)
    case RuntimeError.invalidGraph(let error): "cannot be computed: \(ModelErrorSentence.of(error))"
    case RuntimeError.unsupported(let kernels):
      "uses operators on element types that no kernel computes: "
        + kernels.map(\.sentence).joined(separator: ", ")
    case RuntimeError.outOfMemory(let byteCount): "the system did not grant \(byteCount) bytes"
    default: "is not a valid model: \(error)"
    }
  }
}

extension MissingKernel {
  /// Such as `gather(float32, int32) → float32 ×2`.
  var sentence: String {
    let operands = inputs.map { "\($0)" }.joined(separator: ", ")
    let results = outputs.map { "\($0)" }.joined(separator: ", ")
    return "\(name)(\(operands)) → \(results) ×\(count)"
  }
}

extension KernelTable {
  /// The table of that name, or the best one here when none is named.
  static func chosen(_ name: String?) throws(CommandFailure) -> KernelTable {
    guard let name else { return .best }
    guard let table = named(name) else {
      let names = supported.map(\.name).joined(separator: ", ")
      throw CommandFailure(
        .badInput, "kernel table '\(name)' cannot run here; this processor has \(names)")
    }
    return table
  }
}
