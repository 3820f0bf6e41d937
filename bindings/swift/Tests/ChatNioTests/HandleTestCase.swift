import ChatNio
import Foundation
import XCTest

/// A test that leaves no handle of the library alive.
class HandleTestCase: XCTestCase {
    private var before = 0

    override func setUp() {
        // What is made once, and stays.
        _ = try? Session(now: .zero)
        before = liveHandles
    }

    override func tearDown() {
        // A client's thread ends by itself, after it has closed its connection.
        let patience = ContinuousClock.now + .seconds(60)
        while liveHandles != before, ContinuousClock.now < patience {
            Thread.sleep(forTimeInterval: 0.001)
        }
        XCTAssertEqual(liveHandles, before, "handles are left alive")
    }
}

/// Fails unless `body` throws a ``ChatNioError`` of this code; gives it.
@discardableResult
func assertThrows<T>(
    _ code: ChatNioError.Code, file: StaticString = #filePath, line: UInt = #line, _ body: () throws -> T
) -> ChatNioError? {
    do {
        _ = try body()
        XCTFail("nothing was thrown instead of \(code)", file: file, line: line)
    } catch let error as ChatNioError {
        XCTAssertEqual(error.code, code, error.message, file: file, line: line)
        return error
    } catch {
        XCTFail("\(error) was thrown instead of \(code)", file: file, line: line)
    }
    return nil
}

/// As ``assertThrows(_:file:line:_:)``, of what takes its time.
@discardableResult
func assertThrows<T>(
    _ code: ChatNioError.Code, file: StaticString = #filePath, line: UInt = #line, _ body: () async throws -> T
) async -> ChatNioError? {
    do {
        _ = try await body()
        XCTFail("nothing was thrown instead of \(code)", file: file, line: line)
    } catch let error as ChatNioError {
        XCTAssertEqual(error.code, code, error.message, file: file, line: line)
        return error
    } catch {
        XCTFail("\(error) was thrown instead of \(code)", file: file, line: line)
    }
    return nil
}

/// The project's files.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The transcripts, without their extension.
    static func transcripts() throws -> [String] {
        let all = FileManager.default.enumerator(atPath: root.appendingPathComponent("transcripts").path)
        let names = (all?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".txt") }
        XCTAssertGreaterThan(names.count, 30, "transcripts are missing")
        return names.sorted().map { "transcripts/" + $0.dropLast(".txt".count) }
    }
}
