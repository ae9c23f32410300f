// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: strict memory safety, no warnings, explicit existentials and imports.
let house: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// The same for what is seldom run, or waits for others anyway: small before fast.
let small: [SwiftSetting] = house + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

func library(
  _ name: String, _ dependencies: [Target.Dependency] = [], _ settings: [SwiftSetting] = house
) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: house)
}

/// The kernel sources compiled for one instruction set; flags for the other architecture are inert.
func kernels(_ isa: String? = nil, x86_64: [String] = [], aarch64: [String] = []) -> Target {
  var clang: [String] = ["-Qunused-arguments"]
  for flag in x86_64 { clang += ["-Xarch_x86_64", flag] }
  for flag in aarch64 { clang += ["-Xarch_aarch64", flag] }
  var flags: [String] = ["-O"]
  for flag in clang { flags += ["-Xcc", flag] }
  var settings: [SwiftSetting] = house
  settings.append(.unsafeFlags(flags))
  if let isa { settings.append(.define("ISA_\(isa)")) }
  return .target(
    name: "Kernels" + (isa ?? ""), dependencies: ["CVector", "KernelInterface", "Tensors"],
    swiftSettings: settings)
}

let nio: [Target.Dependency] = ["NIOCore", "NIOPosix", "NIOHTTP1"].map {
  .product(name: $0, package: "swift-nio")
}
let nioHTTP2: [Target.Dependency] = ["NIOHTTP2", "NIOHPACK"].map {
  .product(name: $0, package: "swift-nio-http2")
}
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
  name: "edgeserve",
  products: [
    .executable(name: "edgeserve", targets: ["edgeserve"]),
    // What apps on a device depend on: neither has dependencies, nor flags that versioned packages may not have.
    .library(name: "EdgeServeClient", targets: ["EdgeServeClient"]),
    .library(name: "CEdgeServeClient", type: .static, targets: ["CEdgeServeClient"]),
  ],
  traits: [
    .trait(name: "GRPC", description: "The gRPC socket; without it the program is smaller."),
    .default(enabledTraits: ["GRPC"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
  ],
  targets: [
    // Row 1: vocabulary and system libraries.
    .target(name: "CVector"),
    .target(name: "CProcessor"),
    .target(name: "CThreads"),
    .target(name: "CFaults"),
    .target(name: "CBuild"),
    .target(name: "CImages"),
    .target(name: "CGzip", linkerSettings: [.linkedLibrary("z")]),
    .target(name: "CCurl"),
    .target(name: "CKernelFacts"),
    .target(name: "CEdgeServeClient"),
    .systemLibrary(name: "CCrypto"),
    .systemLibrary(name: "CMosquitto"),
    .systemLibrary(name: "CZstd"),
    library("Tensors"),
    library("ByteParsing", ["CFaults", "CGzip"]),
    library("Cryptography", ["CCrypto"]),
    library("MemoryPlanning"),
    library("EdgeServeClient", ["CEdgeServeClient"]),
    library("JSONDocuments", [], small),

    // Row 2: one subject each, none sees another.
    library("KernelInterface", ["Tensors"]),
    library("ModelGraph", ["Tensors", "ByteParsing"], small),
    library("ModelBundle", ["ByteParsing", "Cryptography", "CZstd"], small),
    library("SignedDocuments", ["ByteParsing", "Cryptography"], small),
    library("NumPyFiles", ["Tensors", "ByteParsing"], small),
    library("MQTT", ["CMosquitto"], small),
    library("Transport", ["ByteParsing"] + nio),
    library("TensorJSON", ["Tensors"]),
    library("ArgumentParser", ["JSONDocuments"], small),
    .target(
      name: "BoardProfiles", dependencies: ["JSONDocuments"],
      resources: [.embedInCode("Profiles")], swiftSettings: small),

    // Row 3: what runs a model, and what brings one.
    kernels(),
    kernels("AVX2", x86_64: ["-mavx2", "-mfma"]),
    kernels("AVXVNNI", x86_64: ["-mavx2", "-mfma", "-mavxvnni"]),
    kernels(
      "AVX512VNNI",
      x86_64: ["-mfma", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni"]),
    kernels("NEONDot", aarch64: ["-march=armv8.2-a+dotprod"]),
    library(
      "Runtime",
      ["ModelGraph", "MemoryPlanning", "KernelInterface", "Tensors", "ByteParsing", "CThreads"]),
    library("TFLiteImport", ["ModelGraph", "ByteParsing", "Tensors"], small),
    library("GRPC", ["Transport", "ByteParsing"] + nio + nioHTTP2),
    library("ModelStorage", ["ModelBundle", "SignedDocuments", "Cryptography", "ByteParsing"]),
    library(
      "ModelDelivery", ["ModelBundle", "SignedDocuments", "Cryptography", "ByteParsing"], small),

    // Row 4: serving and publishing.
    library(
      "KernelDispatch",
      [
        "KernelInterface", "Kernels", "KernelsAVX2", "KernelsAVXVNNI", "KernelsAVX512VNNI",
        "KernelsNEONDot", "CProcessor",
      ]),
    library(
      "Serving",
      [
        "Runtime", "TFLiteImport", "ModelBundle", "ModelStorage", "ModelGraph", "KernelInterface",
        "Tensors", "Cryptography", "ByteParsing",
      ]),
    library(
      "Publishing",
      ["ModelBundle", "SignedDocuments", "Cryptography", "MQTT", "ModelDelivery", "ByteParsing"],
      small),

    // Row 5: public protocols, and what several models answer in turn.
    library("TensorFlowServing", ["Serving", "Transport", "TensorJSON", "Tensors"]),
    library("OpenInference", ["Serving", "Transport", "TensorJSON", "Tensors"]),
    library(
      "Pipelines",
      ["Serving", "Runtime", "ModelGraph", "KernelInterface", "Tensors", "ByteParsing", "CImages"],
      small),

    // Row 6: the agent, and the protocols over gRPC, left out without the trait.
    library(
      "Agent",
      [
        "Pipelines", "Serving", "ModelStorage", "ModelDelivery", "ModelBundle", "SignedDocuments", "Cryptography",
        "ByteParsing", "MQTT", "Transport", "KernelInterface", "KernelDispatch", "JSONDocuments",
        "CCurl", logging,
      ], small),

    library(
      "GRPCServices",
      ["GRPC", "Serving", "TensorFlowServing", "OpenInference", "ByteParsing", "Tensors"]),

    // Row 7: the command line, where everything is wired together.
    .executableTarget(
      name: "edgeserve",
      dependencies: [
        "CBuild", "CKernelFacts", "Agent", "TensorFlowServing", "OpenInference", "Publishing",
        "ModelDelivery", "KernelDispatch",
        "Serving", "Runtime", "TFLiteImport", "ModelGraph", "ModelBundle", "SignedDocuments",
        "Cryptography", "Tensors", "ByteParsing", "KernelInterface", "Transport", "MQTT", "NumPyFiles",
        "TensorJSON", "JSONDocuments",
        .target(name: "GRPC", condition: .when(traits: ["GRPC"])),
        .target(name: "GRPCServices", condition: .when(traits: ["GRPC"])),
        "ArgumentParser", "BoardProfiles", logging,
      ],
      swiftSettings: small),

    // Tests mirror the targets.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: house),
    .target(
      name: "DeliveryTestSupport",
      dependencies: [
        "Publishing", "ModelBundle", "SignedDocuments", "Cryptography", "ByteParsing",
        "ModelStorage", "TestSupport",
      ],
      path: "Tests/DeliveryTestSupport", swiftSettings: house),
    tests(
      "EdgeServeClientTests",
      ["EdgeServeClient", "OpenInference", "Serving", "Transport", "KernelDispatch"]),
    tests("ByteParsingTests", ["ByteParsing"]),
    tests("JSONDocumentsTests", ["JSONDocuments"]),
    tests("ArgumentParserTests", ["ArgumentParser"]),
    tests("BoardProfilesTests", ["BoardProfiles", "JSONDocuments"]),
    tests("CryptographyTests", ["Cryptography"]),
    tests("KernelTests", ["KernelDispatch", "KernelInterface", "Tensors"]),
    tests("MemoryPlanningTests", ["MemoryPlanning"]),
    tests("ModelGraphTests", ["ModelGraph", "ByteParsing", "Tensors"]),
    tests("NumPyFilesTests", ["NumPyFiles", "Tensors", "ByteParsing"]),
    tests("TFLiteImportTests", ["TFLiteImport", "ModelGraph", "ByteParsing", "Tensors"]),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    tests("RuntimeTests",
      [
        "Runtime", "TFLiteImport", "KernelDispatch", "KernelInterface", "ModelGraph", "ByteParsing",
        "Tensors", "CAllocationCounter",
      ]),
    tests("ModelBundleTests", ["ModelBundle", "Cryptography", "ByteParsing"]),
    tests(
      "SignedDocumentsTests",
      [
        "SignedDocuments", "DeliveryTestSupport", "Publishing", "ModelBundle", "Cryptography",
        "ByteParsing",
      ]),
    tests("MQTTTests", ["MQTT"]),
    tests("ModelStorageTests", ["ModelStorage", "Cryptography", "ByteParsing", "DeliveryTestSupport"]),
    tests(
      "ModelDeliveryTests",
      [
        "ModelDelivery", "DeliveryTestSupport", "Publishing", "ModelBundle", "SignedDocuments",
        "Cryptography",
      ]),
    tests(
      "PublishingTests",
      [
        "Publishing", "DeliveryTestSupport", "ModelDelivery", "ModelBundle", "SignedDocuments",
        "Cryptography", "ByteParsing", "MQTT",
      ]),
    tests(
      "PipelinesTests",
      ["Pipelines", "Serving", "KernelDispatch", "KernelInterface", "ModelGraph", "ByteParsing", "Tensors"]),
    tests("ServingTests", ["Serving", "TFLiteImport", "ModelGraph", "ModelBundle", "ModelStorage", "Runtime", "ByteParsing", "KernelDispatch", "KernelInterface", "Tensors"]),
    tests("TransportTests", ["Transport", "ByteParsing"]),
    tests("GRPCTests", ["GRPC", "Transport"] + nio + nioHTTP2),
    tests("TensorJSONTests", ["TensorJSON", "Tensors"]),
    tests(
      "GRPCServicesTests",
      [
        "GRPCServices", "GRPC", "TensorFlowServing", "Serving", "Transport", "Tensors", "ByteParsing",
        "KernelDispatch",
      ]),
    tests(
      "ProtocolTests",
      ["TensorFlowServing", "OpenInference", "Serving", "Transport", "Tensors", "KernelDispatch"]),
    tests(
      "AgentTests",
      [
        "TensorFlowServing", "OpenInference", "Transport", "KernelInterface",
        "Agent", "Publishing", "DeliveryTestSupport", "KernelDispatch", "ModelStorage",
        "ModelDelivery", "ModelBundle", "SignedDocuments", "Cryptography", "MQTT", "Serving",
        logging,
      ]),
    tests(
      "EndToEndTests",
      [
        "edgeserve", "KernelDispatch", "KernelInterface", "Tensors", "OpenInference", "Serving",
        "Transport", "ArgumentParser", "BoardProfiles", "ByteParsing",
      ]),
  ]
)
