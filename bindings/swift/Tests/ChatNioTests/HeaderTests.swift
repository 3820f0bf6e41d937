import ChatNio
import Foundation
import XCTest

/// What this package knows is what the header says.
final class HeaderTests: HandleTestCase {
    /// The constants of an enum in the header, except the one that is 0.
    private func constants(of name: String, prefix: String) throws -> [String: Int32] {
        let header = try Checkout.text("ffi/include/chatnio.h")
        let from = try XCTUnwrap(header.range(of: "typedef enum \(name) {"))
        let to = try XCTUnwrap(header.range(of: "} \(name);", range: from.upperBound..<header.endIndex))
        var constants: [String: Int32] = [:]
        for line in header[from.upperBound..<to.lowerBound].split(separator: "\n") {
            let words = line.split(whereSeparator: { " =,".contains($0) })
            if let name = words.first, name.hasPrefix(prefix), words.count == 2, let number = Int32(words[1]) {
                constants[String(name)] = number
            }
        }
        return constants.filter { $0.value != 0 }
    }

    func testEveryStatusIsACode() throws {
        let statuses = try constants(of: "chatnio_status", prefix: "CHATNIO_")
        XCTAssertGreaterThan(statuses.count, 50)
        var codes: [String: Int32] = [:]
        for code in ChatNioError.Code.allCases {
            codes[code.description] = code.rawValue
        }
        XCTAssertEqual(codes, statuses)
    }

    func testFatalIsWhatTheHeaderCallsFatal() {
        for code in ChatNioError.Code.allCases {
            XCTAssertEqual(ChatNioError(code, "").isFatal, code.rawValue >= 4900, "\(code)")
        }
    }

    func testWhatMayBeTriedAgainIsTold() {
        let again = ChatNioError.Code.allCases.filter { ChatNioError($0, "").isRetryable }
        XCTAssertEqual(again.count, 15)
        XCTAssertTrue(again.contains(.throttled) && again.contains(.connect) && !again.contains(.closed))
    }

    func testEveryInterruptionAndStateIsKnown() throws {
        let interruptions = try constants(of: "chatnio_interruption", prefix: "CHATNIO_INTERRUPTION_")
        let known: [Interruption] = [
            .firstFrameDeadline, .nextFrameDeadline, .afterStopDeadline, .messageTooLong, .answerTooLong,
            .answerDeadline, .closedByServer, .connectionLost, .closedByHost, .reconnected, .notConnected,
            .protocolBroken, .invalidUTF8, .unresponsive, .tlsFailed,
        ]
        let names = interruptions.keys.map {
            $0.dropFirst("CHATNIO_INTERRUPTION_".count).replacingOccurrences(of: "_", with: " ").lowercased()
        }
        XCTAssertEqual(Set(known.map(\.description)), Set(names))

        let states = try constants(of: "chatnio_state", prefix: "CHATNIO_STATE_")
        let knownStates: [State] = [.idle, .asking, .answering, .stopping, .draining, .closed]
        XCTAssertEqual(
            Set(knownStates.map(\.description)),
            Set(states.keys.map { $0.dropFirst("CHATNIO_STATE_".count).lowercased() }))

        let outcomes = try constants(of: "chatnio_outcome", prefix: "CHATNIO_OUTCOME_")
        let knownOutcomes: [Outcome] = [.complete, .stopped, .notice, .interrupted(.reconnected)]
        XCTAssertEqual(
            Set(knownOutcomes.map(\.description)),
            Set(outcomes.keys.map { $0.dropFirst("CHATNIO_OUTCOME_".count).lowercased() }))
        XCTAssertEqual(Outcome.unknown(99).description, "unknown")
        XCTAssertEqual(Interruption.unknown(99).description, "unknown")
        XCTAssertEqual(State.unknown(99).description, "unknown")
    }

    func testEveryCauseOfARetryIsKnown() throws {
        let causes = try constants(of: "chatnio_retry_cause", prefix: "CHATNIO_RETRY_")
        for cause in Retry.Cause.allCases {
            XCTAssertEqual(causes["CHATNIO_RETRY_" + cause.description.uppercased()], cause.rawValue)
        }
        XCTAssertEqual(causes.count, Retry.Cause.allCases.count)
    }

    /// Kinds of events and steps are told apart by the cases that are not `unknown`: there must be one for each.
    func testEveryKindOfEventAndStepIsKnown() throws {
        XCTAssertEqual(try constants(of: "chatnio_event_kind", prefix: "CHATNIO_EVENT_").count, 9)
        XCTAssertEqual(try constants(of: "chatnio_step_kind", prefix: "CHATNIO_STEP_").count, 4)
        XCTAssertEqual(try constants(of: "chatnio_refusal_part", prefix: "CHATNIO_REFUSAL_").count, 4)
        XCTAssertEqual(try constants(of: "chatnio_request_type", prefix: "CHATNIO_REQUEST_").count, 7)
        XCTAssertEqual(try constants(of: "chatnio_conversation_kind", prefix: "CHATNIO_CONVERSATION_").count, 3)
    }

    /// Every function of the header is called somewhere in the package, except those that have nothing to give to it.
    func testEveryFunctionIsInUse() throws {
        let unused: Set = [
            // Swift has the number, or does without.
            "chatnio_version_number", "chatnio_features", "chatnio_error_status", "chatnio_timeout_ms",
            "chatnio_event_kind_name", "chatnio_request_type_name", "chatnio_conversation_kind_name",
            // Sendable classes count their owners themselves.
            "chatnio_config_retain",
            // A closure tells the time.
            "chatnio_config_set_wall_clock",
            // The client's thread waits for every event, and connects by itself, with a stopper that is there before.
            "chatnio_client_ask", "chatnio_client_wait", "chatnio_client_stop", "chatnio_client_stopper",
            "chatnio_client_new", "chatnio_client_new_socket", "chatnio_client_reconnect_socket",
            // It has a cause, or none.
            "chatnio_rest_call_is_retryable",
            // It is a part of the refusal.
            "chatnio_error_body", "chatnio_connection_refusal_body", "chatnio_client_refusal_body",
        ]
        let header = try Checkout.text("ffi/include/chatnio.h")
        let declared = Set(
            header.matches(of: #/(chatnio_\w+)\((?:void|const|struct|int|uint|bool|size_t|double|enum)/#).map {
                String($0.1)
            })
        XCTAssertGreaterThan(declared.count, 100)
        let sources = Checkout.root.appendingPathComponent("bindings/swift/Sources/ChatNio")
        var text = ""
        for file in try FileManager.default.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil) {
            text += try String(contentsOf: file, encoding: .utf8)
        }
        let used = Set(text.matches(of: #/chatnio_\w+/#).map { String($0.0) })
        XCTAssertEqual(declared.subtracting(used), unused)
    }

    func testTheLibraryIsTheOneThatWasCompiledFor() {
        XCTAssertEqual(Library.version, Library.compiledVersion)
    }
}
