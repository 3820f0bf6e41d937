import Foundation
import XCTest

/// Not a test of the package but of the tool: ThreadSanitizer must report this. Only when asked for, by
/// `CHATNIO_PLANTED_RACE`.
final class PlantedRaceTests: XCTestCase {
    private nonisolated(unsafe) static var count = 0

    func testARace() throws {
        try XCTSkipUnless(
            ProcessInfo.processInfo.environment["CHATNIO_PLANTED_RACE"] != nil, "only for ThreadSanitizer")
        let (one, other, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        for (mine, theirs) in [(one, other), (other, one)] {
            Thread.detachNewThread {
                // Both are there, and nothing orders them from here on.
                mine.signal()
                theirs.wait()
                for _ in 1...100 { Self.count += 1 }
                done.signal()
            }
        }
        done.wait()
        done.wait()
    }
}
