#if GRPC
  import Agent
  import GRPC
  import GRPCServices
  import Transport

  extension UnixGRPCServer: RemoteCallServer {}

  extension Composition {
    /// Serves every protocol that has a gRPC form.
    static func openGRPC(
      _ settings: RemoteCallSettings
    ) throws(TransportError) -> any RemoteCallServer {
      var limits = GRPCLimits()
      limits.largerMessages = settings.messageBytes
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
