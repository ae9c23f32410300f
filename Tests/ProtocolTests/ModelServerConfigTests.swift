import Serving
import TensorFlowServing
import TestSupport
import Testing

@Suite("Model server config")
struct ModelServerConfigTests {
  private static let document = """
    # Two models.
    model_config_list: {
      config {
        name: "digits"   base_path: '/srv/' "digits"
        model_platform: "tensorflow"
        model_version_policy: { specific { versions: 1, versions: 3 } }
        version_labels { key: "stable" value: 1 }
        version_labels: { key: 'canary', value: 3 };
      },
      config: <
        name: "wake" base_path: "/srv/wake"
        model_version_policy { latest { num_versions: 2 } }
      >
      config { name: "all" base_path: "/srv/all" model_version_policy: { all {} } }
      config {
        name: "list" base_path: "/l" model_version_policy { specific { versions: [4, 5] } }
      }
    }
    """

  private static func read(_ text: String) throws(ModelConfigError) -> ModelServerConfig {
    try ModelServerConfig(text: Array(text.utf8))
  }

  @Test("reads models, policies and labels in every spelling of the format")
  func whole() throws {
    let models = try Self.read(Self.document).models
    #expect(models.map(\.name) == ["digits", "wake", "all", "list"])
    #expect(models.map(\.basePath) == ["/srv/digits", "/srv/wake", "/srv/all", "/l"])
    #expect(
      models.map(\.policy) == [.specific([1, 3]), .latest(2), .all, .specific([4, 5])])
    #expect(models[0].labels == ["stable": 1, "canary": 3])
    #expect(try Self.read("").models.isEmpty)
  }

  @Test(
    "says where a document is wrong, and what was expected",
    arguments: [
      ("model_config_list {", "line 1, column 20: expected '}' before the end."),
      ("model_config_list\n  5", "line 2, column 3: expected ':' before a value."),
      (
        "model_config { }",
        "ModelServerConfig has no field \"model_config\"; it has model_config_list."
      ),
      (
        "model_config_list { config { nam: \"x\" } }",
        "ModelConfig has no field \"nam\"; it has name,"
      ),
      ("model_config_list { config { name: 5 } }", "ModelConfig.name must be a text in quotes."),
      ("model_config_list { config { base_path: \"/x\" } }", "a model lacks its name."),
      ("model_config_list { config { name: \"x\" } }", "a model lacks its base_path."),
      (
        "model_config_list { config { name: \"x\" base_path: \"/x\" model_platform: \"torch\" } }",
        "model \"x\" has the platform \"torch\"; it must be \"tensorflow\"."
      ),
      (
        "model_config_list { config { name: \"x\" base_path: \"/x\" } "
          + "config { name: \"x\" base_path: \"/y\" } }",
        "model \"x\" is listed twice."
      ),
      (
        "model_config_list { config { model_version_policy { latest { num_versions: 0 } } } }",
        "Latest.num_versions must be a number from 1 on."
      ),
      (
        "model_config_list { config { version_labels { key: \"a\" } } }",
        "lacks its version_labels.value."
      ),
      ("model_config_list { config { name: \"x", "a text has no end."),
      ("model_config_list { config { name: \"\\q\" } }", "the escape '\\q' is not known."),
      ("model_config_list { config { version_labels { value: 1.5 } } }", "no whole decimal number"),
      ("model_config_list { config { logging_config { } } }", "logging_config is not supported."),
      ("custom_model_config { }", "custom_model_config is not supported."),
    ])
  func errors(document: String, sentence: String) {
    do throws(ModelConfigError) {
      _ = try Self.read(document)
      Issue.record("\(document) was taken")
    } catch {
      #expect(error.sentence.contains(sentence), "\(error.sentence)")
    }
  }

  @Test("bounds the depth of messages")
  func depth() {
    let deep = String(repeating: "a {", count: 10_000)
    #expect(throws: ModelConfigError.self) { _ = try Self.read(deep) }
  }

  @Test("survives 20,000 mutations")
  func mutations() {
    var random = SplitMix64(seed: 0x7F5C)
    let source = Array(Self.document.utf8)
    for _ in 0..<20_000 {
      _ = try? ModelServerConfig(text: source.mutated(using: &random))
    }
  }
}
