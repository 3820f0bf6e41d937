import CChatNio

extension String {
    /// Copies a text that the library shows; an absent one is empty.
    init(_ text: chatnio_text) {
        self = String(optional: text) ?? ""
    }

    /// Copies a text that the library shows, if it is there.
    init?(optional text: chatnio_text) {
        guard let data = text.data else { return nil }
        self.init(decoding: UnsafeRawBufferPointer(start: data, count: text.len), as: UTF8.self)
    }

    /// Lends the text as the library takes it.
    func withText<R>(_ body: (UnsafePointer<CChar>?, Int) -> R) -> R {
        var text = self
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
        }
    }
}

extension Optional where Wrapped == String {
    /// As `withText` of a text; with one that is not there nothing is done.
    func ifPresent(_ body: (UnsafePointer<CChar>?, Int) -> Int32) -> Int32 {
        self?.withText(body) ?? CHATNIO_OK.status
    }
}
