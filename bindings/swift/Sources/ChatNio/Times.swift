extension Duration {
    /// So many milliseconds, as the library counts: whole ones, none below zero, and no more than there are.
    var wholeMilliseconds: UInt64 {
        // Its parts cannot be told of what has more seconds than an Int64.
        guard self < .seconds(Int64.max / 1000) else { return UInt64(Int64.max) }
        let (seconds, attoseconds) = max(self, .zero).components
        return UInt64(seconds) * 1000 + UInt64(attoseconds / 1_000_000_000_000_000)
    }

    /// The same for a deadline that is set: a part of a millisecond is one, since none would switch the deadline off.
    ///
    /// - Throws: ``ChatNioError/Code/invalid`` below zero.
    func wholeMilliseconds(of setting: String) throws -> UInt64 {
        guard self >= .zero else {
            throw ChatNioError(.invalid, "\(setting) is a time of less than nothing: 0 switches it off")
        }
        return self == .zero ? 0 : max(wholeMilliseconds, 1)
    }

    /// A deadline of the library's; nil is never.
    init?(deadline milliseconds: UInt64) {
        guard milliseconds != .max else { return nil }
        self = Duration.milliseconds(Int64(clamping: milliseconds))
    }
}
