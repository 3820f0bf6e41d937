/// A JSON value, written as a literal, or given as its text.
///
/// ```swift
/// let value: JSON = ["mode": "auto", "depth": 2, "sites": [nil, true]]
/// ```
public struct JSON: Sendable, Hashable {
    /// The value as text. Whether it is valid, the library checks when it is sent.
    public let text: String

    /// A value by its text, such as one that an encoder has made.
    public init(text: String) {
        self.text = text
    }

    /// A string.
    public init(_ string: String) {
        text = JSON.quoted(string)
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                text += "\\"
                text.unicodeScalars.append(scalar)
            case "\0"..<" ":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) {
        text = "null"
    }

    /// `true` or `false`.
    public init(booleanLiteral value: Bool) {
        text = String(value)
    }

    /// A whole number.
    public init(integerLiteral value: Int) {
        text = String(value)
    }

    /// A number.
    public init(floatLiteral value: Double) {
        text = String(value)
    }

    /// A string.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// An array.
    public init(arrayLiteral elements: JSON...) {
        text = "[" + elements.map(\.text).joined(separator: ",") + "]"
    }

    /// An object, its fields in the order of the literal.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        text = "{" + elements.map { JSON.quoted($0) + ":" + $1.text }.joined(separator: ",") + "}"
    }
}
