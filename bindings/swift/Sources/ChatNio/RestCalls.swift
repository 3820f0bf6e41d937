import CChatNio

extension Rest {
    /// A stored conversation.
    public struct Conversation: Sendable, Hashable {
        /// Its id, for ``Auth/init(token:conversation:share:)``.
        public let id: Int64
        /// Its name: the first question's beginning, or what it was renamed to.
        public let name: String
        /// The model that was asked last; empty where the server does not say.
        public let model: String
        /// Its messages, oldest first; empty in a list, which brings none.
        public let messages: [Message]
        /// Whether its last question searched the web.
        public let web: Bool
        /// Whether a share was put in front of it.
        public let shared: Bool
        /// How many messages went to the model with the last question; 0 is the server's default.
        public let context: Int64
    }

    /// A message of a conversation.
    public struct Message: Sendable, Hashable {
        /// Who says it: `user`, `assistant`, `system`.
        public let role: String
        /// What is said. Content that is no text is its JSON.
        public let content: String
    }

    /// A model.
    public struct Model: Sendable, Hashable {
        /// Its id, for ``Request/model``.
        public let id: String
        /// Whose it is; empty where the server does not say.
        public let ownedBy: String
        /// When it was made, in seconds since 1970; 0 where the server does not say.
        public let created: Int64
    }

    /// The price of models.
    public struct Charge: Sendable, Hashable {
        /// Its id.
        public let id: Int64
        /// How it counts: `token-billing`, `times-billing` or `non-billing`.
        public let kind: String
        /// The models that it is for.
        public let models: [String]
        /// The quota for 1000 tokens of the question.
        public let input: Double
        /// The quota for 1000 tokens of the answer; for one question with `times-billing`.
        public let output: Double
        /// Whether the models answer without an account, too.
        public let anonymous: Bool
    }

    /// A share of one's own.
    public struct Share: Sendable, Hashable {
        /// What ``Auth/init(token:conversation:share:)`` takes.
        public let hash: String
        /// The id of the conversation that it shows.
        public let conversationID: Int64
        /// That conversation's name.
        public let name: String
        /// When it was made, as the server writes it: `2026-11-28T11:31:29Z`.
        public let time: String
    }

    /// A subscription. Without one all is empty. What was used of it is in the call's JSON.
    public struct Subscription: Sendable, Hashable {
        /// Whether there is one.
        public let isSubscribed: Bool
        /// Whether it is one for enterprises.
        public let enterprise: Bool
        /// Its level; 0 is none.
        public let level: Int64
        /// The days until it ends.
        public let expired: Int64
        /// When it ends, as the server writes it; empty on servers that do not say.
        public let expiredAt: String
        /// The days until its usage begins anew; 0 on servers that do not say.
        public let refresh: Int64
        /// When its usage begins anew, as the server writes it; empty on servers that do not say.
        public let refreshAt: String
    }

    /// The stored conversations, newest first, at most the last 100; without their messages.
    public static var conversations: Call<[Conversation]> {
        Call(CHATNIO_REST_CONVERSATIONS) { answer in
            try answer.items(sized(chatnio_rest_conversation()), chatnio_rest_answer_conversation) { _, item in
                Conversation(item, messages: [])
            }
        }
    }

    /// A stored conversation with its messages.
    public static func conversation(_ id: Int64) -> Call<Conversation> {
        Call(CHATNIO_REST_CONVERSATION, [setID(id)]) { answer in
            let messages = try messages(of: answer)
            let found = try answer.item(
                sized(chatnio_rest_conversation()), { chatnio_rest_answer_conversation($0, 0, $1) },
                { Conversation($0, messages: messages) })
            guard let found else { throw ChatNioError(.absent, "there is no conversation in the answer") }
            return found
        }
    }

    /// Deletes a conversation, for good.
    public static func deleteConversation(_ id: Int64) -> Call<Void> {
        Call(CHATNIO_REST_DELETE_CONVERSATION, [setID(id)]) { _ in }
    }

    /// Renames a conversation. Not on servers of 2023.
    public static func renameConversation(_ id: Int64, to name: String) -> Call<Void> {
        Call(CHATNIO_REST_RENAME_CONVERSATION, [setID(id), setText(name)]) { _ in }
    }

    /// Shares messages of a conversation, by their indexes from 0; without any, all of them. The result is the hash that
    /// ``Auth/init(token:conversation:share:)`` takes. A server gives a hash also for a conversation that does not exist.
    public static func shareConversation(_ id: Int64, messages: [Int64] = []) -> Call<String> {
        let indexes = messages.map { index -> @Sendable (OpaquePointer) -> Int32 in
            { chatnio_rest_call_add_index($0, index) }
        }
        return Call(CHATNIO_REST_SHARE_CONVERSATION, [setID(id)] + indexes) { try $0.text }
    }

    /// The quota that is left. The cheapest way to find out whether a key is good: the chat never says.
    public static var quota: Call<Double> { Call(CHATNIO_REST_QUOTA) { try $0.number } }

    /// The subscription.
    public static var subscription: Call<Subscription> {
        Call(CHATNIO_REST_SUBSCRIPTION) { answer in
            let found = try answer.item(
                sized(chatnio_rest_subscription()), chatnio_rest_answer_subscription, Subscription.init)
            guard let found else { throw ChatNioError(.absent, "there is no subscription in the answer") }
            return found
        }
    }

    /// The packages, as JSON; `null` where the server has none.
    public static var package: Call<String> { Call(CHATNIO_REST_PACKAGE) { try $0.json } }

    /// Buys so much quota.
    public static func buy(quota: Int64) -> Call<Void> {
        Call(CHATNIO_REST_BUY, [{ chatnio_rest_call_set_amount($0, quota) }]) { _ in }
    }

    /// Subscribes to a level, for so many months.
    public static func subscribe(level: Int64, months: Int64) -> Call<Void> {
        Call(
            CHATNIO_REST_SUBSCRIBE,
            [{ chatnio_rest_call_set_amount($0, level) }, { chatnio_rest_call_set_months($0, months) }]
        ) { _ in }
    }

    /// The models. Needs no key, but a wrong one is refused.
    public static var models: Call<[Model]> {
        Call(CHATNIO_REST_MODELS) { answer in
            try answer.items(sized(chatnio_rest_model()), chatnio_rest_answer_model) { _, item in
                Model(id: String(item.id), ownedBy: String(item.owned_by), created: item.created)
            }
        }
    }

    /// What models cost. Needs no key. Not on servers of 2023.
    public static var charges: Call<[Charge]> {
        Call(CHATNIO_REST_CHARGES) { answer in
            try answer.items(sized(chatnio_rest_charge()), chatnio_rest_answer_charge) { index, item in
                Charge(
                    id: item.id, kind: String(item.kind),
                    models: try (0..<item.models).map { try answer.model(ofCharge: index, nth: $0) },
                    input: item.input, output: item.output, anonymous: item.anonymous)
            }
        }
    }

    /// The messages of the conversation behind a share's hash. Whose it is, and its name, are in the call's JSON.
    public static func sharedConversation(hash: String) -> Call<[Message]> {
        Call(CHATNIO_REST_SHARED_CONVERSATION, [setText(hash)]) { try messages(of: $0) }
    }

    /// One's own shares.
    public static var shares: Call<[Share]> {
        Call(CHATNIO_REST_SHARES) { answer in
            try answer.items(sized(chatnio_rest_share()), chatnio_rest_answer_share) { _, item in
                Share(
                    hash: String(item.hash), conversationID: item.conversation_id, name: String(item.name),
                    time: String(item.time))
            }
        }
    }

    /// Ends a share.
    public static func deleteShare(hash: String) -> Call<Void> {
        Call(CHATNIO_REST_DELETE_SHARE, [setText(hash)]) { _ in }
    }

    /// The stored masks, as JSON. Not on servers of 2023.
    public static var masks: Call<String> { Call(CHATNIO_REST_MASKS) { try $0.json } }

    /// Stores a mask: a new one, or over the one with an id. Not on servers of 2023.
    public static func saveMask(
        _ name: String, _ messages: [Request.Mask], description: String = "", avatar: String = "", id: Int64? = nil
    ) -> Call<Void> {
        var settings = [setText(name)]
        if let id {
            settings.append(setID(id))
        }
        settings.append { call in
            description.withText { about, aboutLength in
                avatar.withText { chatnio_rest_call_describe_mask(call, about, aboutLength, $0, $1) }
            }
        }
        for message in messages {
            settings.append { call in
                message.role.rawValue.withText { role, roleLength in
                    message.content.withText { chatnio_rest_call_add_mask(call, role, roleLength, $0, $1) }
                }
            }
        }
        return Call(CHATNIO_REST_SAVE_MASK, settings) { _ in }
    }

    /// Deletes a stored mask. Not on servers of 2023.
    public static func deleteMask(_ id: Int64) -> Call<Void> {
        Call(CHATNIO_REST_DELETE_MASK, [setID(id)]) { _ in }
    }

    /// Whether the key is good, and whose it is: the user's name.
    public static var user: Call<String> { Call(CHATNIO_REST_USER) { try $0.text } }

    /// What the server says of itself, as JSON. Needs no key. Not on servers of 2023.
    public static var info: Call<String> { Call(CHATNIO_REST_INFO) { try $0.json } }

    /// The models that the server advertises, as JSON. Needs no key. Not on servers of 2023.
    public static var market: Call<String> { Call(CHATNIO_REST_MARKET) { try $0.json } }

    /// The subscriptions that the server offers, as JSON. Needs no key. Not on servers of 2023.
    public static var plans: Call<String> { Call(CHATNIO_REST_PLANS) { try $0.json } }

    /// All that was spent, in OpenAI's shape.
    public static var billingUsage: Call<Double> { Call(CHATNIO_REST_BILLING_USAGE) { try $0.number } }

    /// The quota that there was, in OpenAI's shape; the call's JSON also has what is left.
    public static var billingLimits: Call<Double> { Call(CHATNIO_REST_BILLING_LIMITS) { try $0.number } }

    /// The API key of the account, for those who came by a login token. The result is a secret.
    public static var apiKey: Call<String> { Call(CHATNIO_REST_API_KEY) { try $0.text } }

    /// Takes an invitation up; the result is the quota that it brought.
    public static func invite(code: String) -> Call<Double> {
        Call(CHATNIO_REST_INVITE, [setText(code)]) { try $0.number }
    }

    /// Redeems a code; the result is the quota that it brought.
    public static func redeem(code: String) -> Call<Double> {
        Call(CHATNIO_REST_REDEEM, [setText(code)]) { try $0.number }
    }

    private static func setID(_ id: Int64) -> @Sendable (OpaquePointer) -> Int32 {
        { chatnio_rest_call_set_id($0, id) }
    }

    private static func setText(_ text: String) -> @Sendable (OpaquePointer) -> Int32 {
        { call in text.withText { chatnio_rest_call_set_text(call, $0, $1) } }
    }

    private static func messages(of answer: RestAnswer) throws -> [Message] {
        try answer.items(sized(chatnio_rest_message()), chatnio_rest_answer_message) { _, item in
            Message(role: String(item.role), content: String(item.content))
        }
    }
}

extension Rest.Conversation {
    init(_ item: chatnio_rest_conversation, messages: [Rest.Message]) {
        self.init(
            id: item.id, name: String(item.name), model: String(item.model), messages: messages, web: item.web,
            shared: item.shared, context: item.context)
    }
}

extension Rest.Subscription {
    init(_ item: chatnio_rest_subscription) {
        self.init(
            isSubscribed: item.is_subscribed, enterprise: item.enterprise, level: item.level, expired: item.expired,
            expiredAt: String(item.expired_at), refresh: item.refresh, refreshAt: String(item.refresh_at))
    }
}
