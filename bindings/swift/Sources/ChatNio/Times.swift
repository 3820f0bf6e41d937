extension Duration {
    /// So many milliseconds, as the library counts: whole ones, and none below zero.
    var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1000 &+ UInt64(attoseconds / 1_000_000_000_000_000)
    }

    /// A deadline of the library's; nil is never.
    init?(deadline milliseconds: UInt64) {
        guard milliseconds != .max else { return nil }
        self = Duration.milliseconds(Int64(clamping: milliseconds))
    }
}
