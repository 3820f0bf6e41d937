import ChatNio

/// The event log: what an event says as JSON, from its public fields alone. The same in every language:
///
///     {"event":"delta","turn":1,"text":"Hello","quota":0.1}
///     {"event":"stray","text":"","quota":0.1,"end":true}
///     {"event":"warning","line":7,"message":"skipped: the message is empty: it would never be answered"}
///     {"event":"end","turn":1,"request":"chat","outcome":"complete","text":"Hello","notice":null,...}
///
/// Keys in this order, no spaces, raw UTF-8, LF. There is no delta for an empty piece.
struct EventLog {
    private(set) var text = ""

    /// - Parameter line: that of the transcript; nil when the event is of none.
    mutating func add(_ event: Event, line: Int?) {
        switch event {
        case .delta(let delta): addDelta(turn: delta.turn, delta.text, delta.quota)
        case .end(let end):
            addDelta(turn: end.answer.turn, end.text, end.answer.quota)
            addEnd(end.answer)
        case .stray(let stray):
            text +=
                "{\"event\":\"stray\",\"text\":\(quoted(stray.text)),\"quota\":\(stray.quota.text),\"end\":\(stray.isEnd)}\n"
        case .malformed(let error): addWarning(error.message, line: line)
        default: break
        }
    }

    mutating func addWarning(_ message: String, line: Int?) {
        let line = line.map(String.init) ?? "null"
        text += "{\"event\":\"warning\",\"line\":\(line),\"message\":\(quoted(message))}\n"
    }

    private mutating func addDelta(turn: Int, _ piece: String, _ quota: Quota) {
        if !piece.isEmpty {
            text += "{\"event\":\"delta\",\"turn\":\(turn),\"text\":\(quoted(piece)),\"quota\":\(quota.text)}\n"
        }
    }

    private mutating func addEnd(_ answer: Answer) {
        text += "{\"event\":\"end\",\"turn\":\(answer.turn),\"request\":\"\(answer.asked)\""
        text += ",\"outcome\":\"\(answer.outcome?.description ?? "none")\",\"text\":\(quoted(answer.text))"
        text += ",\"notice\":\(answer.notice.map(quoted) ?? "null"),\"quota\":\(answer.quota.text)"
        text +=
            ",\"keyword\":\(quoted(answer.keyword)),\"conversation\":\(answer.conversation.map(String.init) ?? "null")"
        text += ",\"plan\":\(answer.plan),\"chunks\":\(answer.chunks)}\n"
    }
}

private func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\u{08}": quoted += "\\b"
        case "\u{0C}": quoted += "\\f"
        case "\n": quoted += "\\n"
        case "\r": quoted += "\\r"
        case "\t": quoted += "\\t"
        case "\0"..<" ":
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
