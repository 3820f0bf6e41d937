// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "ChatNioBenches",
    platforms: [.macOS(.v14)],
    // A link to bindings/swift: a package is known by the name of its directory, and this one is called "swift" as well.
    dependencies: [.package(path: "ChatNio")],
    targets: [
        .executableTarget(name: "Contender", dependencies: [.product(name: "ChatNio", package: "ChatNio")])
    ],
    swiftLanguageModes: [.v6]
)
