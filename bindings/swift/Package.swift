// swift-tools-version: 6.0
import Foundation
import PackageDescription

// On Apple platforms the library comes as an XCFramework, once `./xcframework` has made it; elsewhere, and without one,
// as it is installed: by pkg-config.
let xcframework = "CChatNio.xcframework"
let hasXCFramework = FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + xcframework)
let library: Target =
    hasXCFramework
    ? .binaryTarget(name: "CChatNio", path: xcframework)
    : .systemLibrary(name: "CChatNio", pkgConfig: "chatnio")

let package = Package(
    name: "ChatNio",
    // An actor that runs on a thread of its own needs these.
    platforms: [.macOS(.v14), .iOS(.v17), .tvOS(.v17), .watchOS(.v10), .visionOS(.v1)],
    products: [
        .library(name: "ChatNio", targets: ["ChatNio"]),
        .library(name: "ChatNioTesting", targets: ["ChatNioTesting"]),
    ],
    targets: [
        library,
        .target(name: "ChatNio", dependencies: ["CChatNio"]),
        // A server for tests of programs; it needs Foundation, which the library does not.
        .target(name: "ChatNioTesting"),
        // What only a library built for tests has; see `make test-swift`.
        .systemLibrary(name: "CChatNioTesting", path: "Tests/CChatNioTesting"),
        .testTarget(name: "ChatNioTests", dependencies: ["ChatNio", "ChatNioTesting", "CChatNio", "CChatNioTesting"]),
    ],
    swiftLanguageModes: [.v6]
)
