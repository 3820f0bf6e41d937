import ChatNio

/// The program under test: it counts words as they stream in, and says what it made of the answer.
public struct WordBot {
    private var words = 0
    /// What it made of the answer, once that has ended.
    public private(set) var verdict: String?

    /// Knows nothing yet.
    public init() {}

    /// Takes what happens.
    public mutating func handle(_ event: Event) {
        switch event {
        case .delta(let delta): words += delta.text.split(separator: " ").count
        case .end(let end):
            switch end.answer.outcome {
            case .complete: verdict = "\(words) words"
            case .notice: verdict = "no answer: \(end.answer.notice ?? "")"
            case .interrupted(let why): verdict = "cut short: \(why)"
            case let other: verdict = "no answer: \(String(describing: other))"
            }
        default: break
        }
    }
}
