import ArgumentParser

/// The command line: the agent on the device, and the tools of the fleet machine.
@main
struct EdgeServe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edgeserve",
    abstract: "Serves signed model versions on a Unix socket, within a stated memory budget.",
    version: Build.description,
    subcommands: [
      Run.self, Status.self, Top.self, Model.self, LogLevel.self, Doctor.self, Support.self,
      Config.self, Board.self, Predict.self, Inspect.self, Invoke.self, Bench.self, Keygen.self,
      Rotate.self, Sign.self, Pack.self, Publish.self, Install.self, Rollout.self, Rollback.self,
      Refresh.self, Fleet.self, Pin.self, Unpin.self, Hold.self, LetGo.self, Report.self, Seed.self, Acl.self, Show.self, Demo.self,
    ])

  /// Runs the command named by the arguments and leaves with the exit status it earned.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      ExitStatus.leave(error)
    }
  }
}
