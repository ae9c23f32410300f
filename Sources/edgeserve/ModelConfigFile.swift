import Agent
import Serving
import TensorFlowServing

/// Models that are configured as TensorFlow Serving has it.
enum ModelConfigFile {
  /// Adds the models of the file that `configuration` names to its own.
  static func apply(to configuration: inout AgentConfiguration) throws(AgentError) {
    guard let path = configuration.modelConfigFile else { return }
    let bytes = try WholeFile.read(path, maximum: ModelServerConfig.bytesMaximum)
    let config: ModelServerConfig
    do throws(ModelConfigError) {
      config = try ModelServerConfig(text: bytes)
    } catch {
      throw .malformedFile(path: path, reason: error.sentence)
    }
    for (name, model) in localModels(config) {
      guard configuration.models[name] == nil else {
        throw .malformedFile(
          path: path, reason: "model \"\(name)\" is configured elsewhere too.")
      }
      configuration.models[name] = model
    }
  }

  static func localModels(_ config: ModelServerConfig) -> [String: LocalModel] {
    Dictionary(
      config.models.map { model in
        (model.name, LocalModel(model.basePath, policy: model.policy, labels: model.labels))
      }, uniquingKeysWith: { first, _ in first })
  }
}
