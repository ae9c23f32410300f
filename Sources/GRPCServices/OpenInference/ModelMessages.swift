import ByteParsing
import GRPC
import OpenInference
import Serving
import Tensors

extension OpenInferenceMethods {
  /// `ModelMetadataResponse`: what one version says about itself.
  func modelMetadata(_ description: VersionDescription) -> GRPCReply {
    let statuses = (try? service.statuses(of: description.model)) ?? []
    return .message { reply in
      reply.text(1, description.model)
      for version in statuses.filter({ $0.state == .serving }).map(\.version).sorted() {
        reply.element(2, "\(version)")
      }
      reply.text(3, description.platform)
      for (field, specifications) in [(4, description.inputs), (5, description.outputs)] {
        for specification in specifications {
          reply.message(field) { tensor in
            tensor.text(1, specification.name)
            tensor.text(2, datatypeName(specification.type.dataType) ?? "")
            tensor.extents(3, specification.signatureShape)
          }
        }
      }
    }
  }

  /// `ModelConfigResponse`: what a version is set to.
  func modelConfiguration(_ description: VersionDescription) -> GRPCReply {
    .message { reply in
      reply.message(1) { configuration in
        configuration.text(1, description.model)
        configuration.text(2, description.platform)
        configuration.message(3) { $0.versionPolicy(service.policy(of: description.model)) }
        // Tensors carry their batch extent themselves: `max_batch_size` is 0, which is left out.
        for (field, dimensions, specifications) in [
          (5, 4, description.inputs), (6, 3, description.outputs),
        ] {
          for specification in specifications {
            configuration.message(field) { tensor in
              tensor.text(1, specification.name)
              tensor.integer(2, configurationType(specification.type.dataType))
              tensor.extents(dimensions, specification.signatureShape)
            }
          }
        }
        configuration.entry(14, "rows_maximum") { $0.text(1, "\(service.batchMaximum)") }
      }
    }
  }
}

/// The number of a data type in a `ModelConfig`; 0 where it has none.
private func configurationType(_ type: DataType) -> UInt64 {
  switch type {
  case .bool: 1
  case .uint8: 2
  case .uint16: 3
  case .uint32: 4
  case .uint64: 5
  case .int8: 6
  case .int16: 7
  case .int32: 8
  case .int64: 9
  case .float16: 10
  case .float32: 11
  case .float64: 12
  case .string: 13
  case .int4, .complex64: 0
  }
}

extension ProtobufWriter {
  /// `ModelVersionPolicy`: which versions are to serve.
  fileprivate mutating func versionPolicy(_ policy: VersionPolicy) {
    switch policy {
    case .latest(let count): message(1) { $0.integer(1, UInt64(count)) }
    case .all: message(2) { _ in }
    case .specific(let versions):
      message(3) { $0.packed(1, versions.map { UInt64(bitPattern: $0) }) }
    }
  }

  /// `ModelStatistics`: the counters of a version that serves.
  ///
  /// Inputs are copied, run and read back in one go, so that `compute_infer` holds all three.
  mutating func statistics(_ status: VersionStatus) {
    let answered = status.outcomes[.ok] ?? 0
    let queue = status.stages[.queue]?.sumNanoseconds ?? 0
    let infer = status.stages[.infer]?.sumNanoseconds ?? 0
    text(1, status.model)
    text(2, "\(status.version)")
    integer(3, UInt64(max(0, status.lastAnswerMilliseconds)))
    integer(4, status.rows)
    integer(5, status.runs.values.reduce(0) { $0 + $1.count })
    message(6) { stages in
      let durations = [
        (answered, queue + infer), (status.errors, 0), (answered, queue), (answered, 0),
        (answered, infer), (answered, 0), (status.cacheHits, 0), (status.cacheMisses, 0),
      ]
      for (index, duration) in durations.enumerated() {
        stages.message(1 + index) { stage in
          stage.integer(1, duration.0)
          stage.integer(2, duration.1)
        }
      }
    }
    for (rows, run) in status.runs.sorted(by: { $0.key < $1.key }) {
      message(7) { batch in
        batch.integer(1, UInt64(rows))
        for (index, nanoseconds) in [0, run.nanoseconds, 0].enumerated() {
          batch.message(2 + index) { stage in
            stage.integer(1, run.count)
            stage.integer(2, nanoseconds)
          }
        }
      }
    }
    message(8) { memory in
      memory.text(1, "CPU")
      memory.integer(3, UInt64(max(0, status.memory.totalBytes)))
    }
  }

  /// `RepositoryIndexResponse.ModelIndex`.
  mutating func repositoryEntry(_ status: VersionStatus) {
    text(1, status.model)
    text(2, "\(status.version)")
    switch status.state {
    case .serving: text(3, "READY")
    case .offered, .fetching, .staged, .preparing, .proving: text(3, "LOADING")
    case .draining: text(3, "UNLOADING")
    case .retired:
      text(3, "UNAVAILABLE")
      text(4, "unloaded")
    case .refused, .rolledBack:
      text(3, "UNAVAILABLE")
      // A file's path is nothing that every client should know.
      if let cause = status.cause { text(4, cause.publicSentence) }
    }
  }
}
