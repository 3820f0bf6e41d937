// swift-tools-version: 6.0
import PackageDescription

let chatNio: Target.Dependency = .product(name: "ChatNio", package: "ChatNio")

let package = Package(
    name: "ChatNioExamples",
    platforms: [.macOS(.v14), .iOS(.v17)],
    // A link to bindings/swift: a package is known by the name of its directory, and this one is called "swift" as well.
    dependencies: [.package(path: "ChatNio")],
    targets: [
        .executableTarget(name: "Ask", dependencies: [chatNio]),
        .executableTarget(name: "OwnWebSocket", dependencies: [chatNio]),
        .executableTarget(name: "Conversations", dependencies: [chatNio]),
        .target(name: "WordBot", dependencies: [chatNio]),
        .testTarget(name: "ReplayTests", dependencies: ["WordBot", chatNio]),
    ],
    swiftLanguageModes: [.v6]
)
