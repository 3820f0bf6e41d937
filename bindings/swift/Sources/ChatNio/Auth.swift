import CChatNio

/// Who asks, and in which conversation. Made once, used any number of times, from any thread.
///
/// The token is held by the library alone, which wipes it when it is freed. It shows in no description, dump, error or
/// recording.
public final class Auth: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Sendable: never changed once it is made, and then the library may read it from any threads.
    private let made: Result<Handle, any Error>

    /// Asks without an account, in a new conversation.
    public static let anonymous = Auth(token: "anonymous")

    /// Asks by a token.
    ///
    /// Servers do not say whether they take it: with a bad one the first question is answered by a notice.
    ///
    /// - Parameters:
    ///   - token: an API key `sk-...`, a login token, or `anonymous`. An empty one is refused where this is used.
    ///   - conversation: the stored conversation to continue; nil starts a new one. Ids are positive; another is refused
    ///     where this is used. The event ``Event/opened(_:)`` says which one the server opened.
    ///   - share: the hash of a shared conversation to start a new one from. One that the server knows wins over
    ///     `conversation`.
    public init(token: String, conversation: Int64? = nil, share: String? = nil) {
        made = Result {
            let handle = try Handle(free: chatnio_auth_free) { out, _ in
                token.withText { chatnio_auth_new($0, $1, out) }
            }
            if let conversation {
                try handle.call { chatnio_auth_set_conversation($0, conversation) }
            }
            if let share {
                try handle.call { auth in share.withText { chatnio_auth_set_share(auth, $0, $1) } }
            }
            return handle
        }
    }

    /// Takes over an authentication that the library has made.
    init(_ handle: Handle) {
        made = .success(handle)
    }

    /// Lends the handle.
    func use<R>(_ body: (OpaquePointer) throws -> R) throws -> R {
        try made.get().use(body)
    }

    /// Says that it is one, and not whose.
    public var description: String { "Auth" }

    /// Shows nothing of what is inside.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
