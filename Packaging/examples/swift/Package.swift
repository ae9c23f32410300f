// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "classify",
  dependencies: [.package(url: "https://example.org/edgeserve", from: "0.1.0")],
  targets: [
    .executableTarget(
      name: "Classify", dependencies: [.product(name: "EdgeServeClient", package: "edgeserve")])
  ]
)
