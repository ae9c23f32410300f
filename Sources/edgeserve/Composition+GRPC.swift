#if GRPC
  import Agent
  import GRPC
  import GRPCServices
  import Serving
  import Transport

  extension UnixGRPCServer: RemoteCallServer {}

  extension Composition {
    /// Serves every protocol that has a gRPC form.
    static func openGRPC(
      _ settings: RemoteCallSettings
    ) throws(TransportError) -> any RemoteCallServer {
      var limits = GRPCLimits()
      limits.largerMessages = settings.messageBytes
      limits.messageBytesInline = settings.messageBytesInline
      limits.compute = { [service = settings.service] in service.compute($0) }
      limits.memory = settings.memory
      limits.refusals = settings.refusals
      let administration = administration(settings.administration)
      let tensorFlow = TensorFlowMethods(
        service: settings.service, administration: administration)
      let openInference = OpenInferenceMethods(
        service: settings.service, serverVersion: Build.version, administration: administration)
      let health = HealthMethods(service: settings.service)
      let pause = settings.pause
      return try UnixGRPCServer(
        at: settings.place, limits: limits, thread: settings.thread,
        methods: tensorFlow.methods.merging(openInference.methods) { $1 }
          .merging(health.methods) { $1 },
        refuse: { peer in
          pause(peer).map {
            GRPCStatus(
              .resourceExhausted, "Too many requests of this user.", retryMilliseconds: $0)
          }
        })
    }

    private static func administration(_ local: LocalAdministration) -> Administration {
      Administration(
        isAllowed: { local.isAllowed($0.peer) },
        load: { model, completion in
          local.load(model) { refusal in completion(refusal.map(status)) }
        },
        unload: { local.unload($0).map(status) },
        replace: { config, completion in
          local.replace(ModelConfigFile.localModels(config)) { completion($0.map(status)) }
        },
        settings: serverSettings(local.settings))
    }

    private static func serverSettings(_ settings: RuntimeSettings) -> ServerSettings {
      ServerSettings(
        log: {
          let present = settings.log
          var log = ServerSettings.Log()
          (log.file, log.format) = (present.log_file, present.log_format)
          (log.info, log.warning) = (present.log_info, present.log_warning)
          log.error = present.log_error
          log.verboseLevel = present.log_verbose_level.map { UInt32(clamping: $0) }
          return log
        },
        changeLog: { log in
          var wanted = LogSettings()
          (wanted.log_file, wanted.log_format) = (log.file, log.format)
          (wanted.log_info, wanted.log_warning) = (log.info, log.warning)
          wanted.log_error = log.error
          wanted.log_verbose_level = log.verboseLevel.map { Int($0) }
          do throws(RuntimeSettings.Refusal) {
            try settings.change(wanted)
            return nil
          } catch {
            return GRPCStatus(.invalidArgument, error.sentence)
          }
        },
        trace: {
          let trace = settings.trace
          return [
            ("trace_level", trace.trace_level), ("trace_rate", [trace.trace_rate]),
            ("trace_count", [trace.trace_count]), ("log_frequency", [trace.log_frequency]),
            ("trace_file", [trace.trace_file]),
          ]
        },
        changeTrace: { trace in
          var wanted = TraceSettings()
          wanted.trace_level = trace.level
          wanted.trace_rate = trace.rate.map(TraceSettings.Count.init)
          do throws(RuntimeSettings.Refusal) {
            try settings.change(wanted)
            return nil
          } catch {
            return GRPCStatus(.invalidArgument, error.sentence)
          }
        })
    }

    private static func status(_ refusal: RepositoryRefusal) -> GRPCStatus {
      switch refusal {
      case .notLocal, .nothingFound, .versionNotFound, .nothingBelow:
        GRPCStatus(.notFound, refusal.sentence)
      case .busy, .replacing: GRPCStatus(.aborted, refusal.sentence)
      case .labelTarget: GRPCStatus(.failedPrecondition, refusal.sentence)
      case .pinsNotKept: GRPCStatus(.internal, refusal.sentence)
      case .failed, .invalid, .refused: GRPCStatus(.invalidArgument, refusal.sentence)
      }
    }
  }
#endif
