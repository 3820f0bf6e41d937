/*
 * libchatnio for C++17: owners, views and ranges over chatnio.h, in this header alone.
 *
 * Everything is as chatnio.h and its conventions page say, except:
 *
 * - Owners (`Config`, `Auth`, `Request`, `Session`, `Connection`, `Client`, `Stopper`, `Transcript`, `Replay`, `RestCall`,
 *   `RestAnswer`) free their handle. They can be moved, which never throws, and not copied. `native()` is the handle,
 *   still owned; an owner can also be made of a handle, which it takes over. One that was moved from has none: its
 *   functions throw `CHATNIO_INVALID`, and as a configuration or authentication it stands for NULL.
 * - Texts and bytes are `std::string_view`. Those that come out live as long as chatnio.h says, which for what belongs
 *   to an event is until the next call on the same handle that may bring one; absent is `data() == nullptr`.
 * - Kinds, types, outcomes, states and reasons are the constants of chatnio.h.
 * - A status that is not `CHATNIO_OK` is thrown as an `Error`, with the handle's text, except those that are a part of
 *   the usual course: `CHATNIO_AGAIN` and `CHATNIO_ABSENT` are an empty `std::optional`, `CHATNIO_BUSY` and
 *   `CHATNIO_UNDRAINED` are false. `CHATNIO_INTERRUPTED` (a signal came) is an empty `std::optional` where the wait has
 *   a limit, and thrown where it has none: see `Client::next()`. A call that brought no event, which in C is one of kind
 *   `CHATNIO_EVENT_NONE`, gives an empty `std::optional`, too.
 * - Nothing here allocates memory, but to throw.
 * - Threads: as the conventions page says of the handles.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef CHATNIO_HPP
#define CHATNIO_HPP

#include <chatnio.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace chatnio {

/** What a connection's host is to wait for. */
using Wants = ::chatnio_wants;
/** What a session has counted. */
using Counters = ::chatnio_counters;
/** The conversation that a connection is in. */
using Conversation = ::chatnio_conversation;

/** The version of the library that runs. */
inline std::string_view version() noexcept { return chatnio_version(); }

/** The version of the library that runs as one number, as in `CHATNIO_VERSION_NUMBER`. */
inline std::uint32_t version_number() noexcept { return chatnio_version_number(); }

/** The levels that the library that runs was built with: bits of `chatnio_feature`. */
inline std::uint32_t features() noexcept { return chatnio_features(); }

/** The name of a status, such as "CHATNIO_BUSY". */
inline std::string_view status_name(std::int32_t status) noexcept { return chatnio_status_name(status); }

/** What a status means, in a few English words. */
inline std::string_view status_message(std::int32_t status) noexcept { return chatnio_status_message(status); }

/** Whether a status says that the connection is over, or could not be made. */
inline bool status_is_fatal(std::int32_t status) noexcept { return chatnio_status_is_fatal(status); }
/** Whether the same may go well when it is tried again, connected anew. */
inline bool status_is_retryable(std::int32_t status) noexcept { return chatnio_status_is_retryable(status); }

/** The name of a kind of event (`chatnio_event_kind`), such as "delta". */
inline std::string_view event_kind_name(std::int32_t kind) noexcept { return chatnio_event_kind_name(kind); }

/** The name of a request's type (`chatnio_request_type`), such as "chat". */
inline std::string_view request_type_name(std::int32_t request_type) noexcept
{
    return chatnio_request_type_name(request_type);
}

/** The name of an outcome (`chatnio_outcome`), such as "complete". */
inline std::string_view outcome_name(std::int32_t outcome) noexcept { return chatnio_outcome_name(outcome); }

/** The name of an interruption (`chatnio_interruption`). */
inline std::string_view interruption_name(std::int32_t interruption) noexcept
{
    return chatnio_interruption_name(interruption);
}
/** Whether the same may go well when it is asked again after an interruption, on a new connection if this one is over. */
inline bool interruption_is_retryable(std::int32_t interruption) noexcept
{
    return chatnio_interruption_is_retryable(interruption);
}

/** The name of what is known of a conversation (`chatnio_conversation_kind`). */
inline std::string_view conversation_kind_name(std::int32_t kind) noexcept
{
    return chatnio_conversation_kind_name(kind);
}

/** The name of a state (`chatnio_state`), such as "idle". */
inline std::string_view state_name(std::int32_t state) noexcept { return chatnio_state_name(state); }

/** Turns a deadline into the time-out that poll(2) and its like take. */
inline int timeout_ms(std::uint64_t deadline, std::uint64_t now) noexcept { return chatnio_timeout_ms(deadline, now); }

/** The time on the steady clock in milliseconds: a clock for `now`, for hosts that have none of their own. */
inline std::uint64_t steady_now() noexcept
{
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

/** A status that was not `CHATNIO_OK`. `what()` says what happened exactly; it never holds a token. */
class Error : public std::runtime_error {
public:
    /** An error with a text of its own, and what the server has said with it. */
    Error(std::int32_t status, const std::string &text, std::int32_t code = 0,
          std::optional<std::string_view> body = std::nullopt,
          std::optional<std::string_view> location = std::nullopt,
          std::optional<std::chrono::milliseconds> retry_after = std::nullopt)
        : std::runtime_error(text), status_(status), code_(code),
          body_(body ? std::make_shared<const std::string>(*body) : nullptr),
          location_(location ? std::make_shared<const std::string>(*location) : nullptr), retry_after_(retry_after)
    {
    }

    /** An error of which no more is known. */
    explicit Error(std::int32_t status) : std::runtime_error(chatnio_status_message(status)), status_(status) {}

    /** The status (`chatnio_status`). */
    std::int32_t status() const noexcept { return status_; }

    /** Whether the connection is over, or could not be made. */
    bool is_fatal() const noexcept { return status_is_fatal(status_); }
    /** Whether the same may go well when it is tried again, connected anew; what was asked may have been charged. */
    bool is_retryable() const noexcept { return status_is_retryable(status_); }

    /** Of a client that could not be made: the WebSocket's close code or the HTTP status; 0 where there was none. */
    std::int32_t code() const noexcept { return code_; }

    /** Of a client that could not be made: the body of the HTTP answer that refused it. It lives as long as this. */
    std::optional<std::string_view> body() const noexcept
    {
        return body_ ? std::optional<std::string_view>(*body_) : std::nullopt;
    }

    /** Of a client that could not be made: where a redirect points to, which is never followed. */
    std::optional<std::string_view> location() const noexcept
    {
        return location_ ? std::optional<std::string_view>(*location_) : std::nullopt;
    }

    /** Of a client that could not be made: after how long the server, or a gateway, wants to be asked again. */
    std::optional<std::chrono::milliseconds> retry_after() const noexcept { return retry_after_; }

private:
    std::int32_t status_;
    std::int32_t code_ = 0;
    /* Shared, because a copy of an exception must not throw. */
    std::shared_ptr<const std::string> body_;
    std::shared_ptr<const std::string> location_;
    std::optional<std::chrono::milliseconds> retry_after_;
};

/** Tells a constructor that takes a handle over from the others: `Session session(chatnio::adopt, handle);`. */
struct Adopt {};
/** See `Adopt`. */
inline constexpr Adopt adopt{};

/** What is not for programs. */
namespace detail {

template <auto Function>
struct Free {
    template <typename T>
    void operator()(T *handle) const noexcept
    {
        Function(handle);
    }
};

/** A handle that is freed by `Function`. */
template <typename T, auto Function>
using Owned = std::unique_ptr<T, Free<Function>>;

inline std::string_view view(chatnio_text text) noexcept { return {text.data, text.len}; }

inline std::string_view view(chatnio_bytes bytes) noexcept
{
    return {reinterpret_cast<const char *>(bytes.data), bytes.len};
}

inline const std::uint8_t *bytes(std::string_view text) noexcept
{
    return reinterpret_cast<const std::uint8_t *>(text.data());
}

/** Throws if a call failed of which only the status tells. */
inline void check(std::int32_t status)
{
    if (status != CHATNIO_OK) {
        throw Error(status);
    }
}

/** The type of a request, which must not be NULL. */
inline std::int32_t type_of(const chatnio_request *request)
{
    std::int32_t request_type;
    check(chatnio_request_get_type(request, &request_type));
    return request_type;
}

/** Throws what a handle says of its last failed call; `TextOf` copies that. */
template <auto TextOf, typename T>
[[noreturn]] void fail(const T *handle, std::int32_t status)
{
    std::size_t length = 0;
    if (TextOf(handle, nullptr, 0, &length) != CHATNIO_OK || length == 0) {
        throw Error(status);
    }
    std::string text(length + 1, '\0');
    TextOf(handle, text.data(), text.size(), nullptr);
    text.resize(length);
    throw Error(status, text);
}

/** Throws if a call on a handle failed. */
template <auto TextOf, typename T>
void check(const T *handle, std::int32_t status)
{
    if (status != CHATNIO_OK) {
        fail<TextOf>(handle, status);
    }
}

/** Throws if a call on a handle failed, unless by `Usual`: whether it was done. */
template <auto TextOf, typename T>
bool check_unless(std::int32_t usual, const T *handle, std::int32_t status)
{
    if (status != usual) {
        check<TextOf>(handle, status);
    }
    return status == CHATNIO_OK;
}

/** Throws if a constructor failed, what its error says. A reference: the same call's first argument fills it in. */
inline void check_made(std::int32_t status, chatnio_error *const &error)
{
    if (status == CHATNIO_OK) {
        return;
    }
    const Owned<chatnio_error, chatnio_error_free> owned(error);
    chatnio_text message;
    std::int32_t same;
    if (chatnio_error_status(error, &same) != CHATNIO_OK || chatnio_error_message(error, &message) != CHATNIO_OK) {
        throw Error(status);
    }
    std::int32_t code = 0;
    check(chatnio_error_code(error, &code));
    chatnio_text body;
    const bool has_body = chatnio_error_body(error, &body) == CHATNIO_OK;
    chatnio_text location;
    const bool has_location = chatnio_error_refusal(error, CHATNIO_REFUSAL_LOCATION, &location) == CHATNIO_OK;
    std::uint64_t ms;
    const bool has_time = chatnio_error_retry_after(error, &ms) == CHATNIO_OK;
    throw Error(same, std::string(view(message)), code, has_body ? std::optional(view(body)) : std::nullopt,
                has_location ? std::optional(view(location)) : std::nullopt,
                has_time ? std::optional(std::chrono::milliseconds(ms)) : std::nullopt);
}

inline std::uint64_t milliseconds(std::chrono::milliseconds time)
{
    if (time.count() < 0) {
        throw Error(CHATNIO_INVALID, "a time is negative");
    }
    return static_cast<std::uint64_t>(time.count());
}

/** As the waits take it, which is at most some 24 days. */
inline std::int32_t wait_limit(std::chrono::milliseconds time)
{
    return static_cast<std::int32_t>(std::min<std::uint64_t>(milliseconds(time), INT32_MAX));
}

} // namespace detail

/** What a turn has brought: views, which live as long as what they were got from says. */
class Answer {
public:
    /** An empty one. */
    Answer() noexcept { answer_.size = sizeof answer_; }

    /** Of the C interface's, which may be of another version's size. */
    explicit Answer(const chatnio_answer &native) noexcept
    {
        std::memcpy(&answer_, &native, std::min(native.size, sizeof answer_));
        answer_.size = sizeof answer_;
    }

    /** The turn's number, from 1. */
    std::uint64_t turn() const noexcept { return answer_.turn; }
    /** What was asked: `CHATNIO_REQUEST_CHAT` or `CHATNIO_REQUEST_RESTART`. */
    std::int32_t request_type() const noexcept { return answer_.request_type; }
    /** How the turn ended (`chatnio_outcome`); `CHATNIO_OUTCOME_NONE` while it runs. */
    std::int32_t outcome() const noexcept { return answer_.outcome; }
    /** Why it was interrupted, if it was (`chatnio_interruption`). */
    std::int32_t interruption() const noexcept { return answer_.interruption; }
    /** Paid for by a subscription. */
    bool plan() const noexcept { return answer_.plan; }
    /** The text. Empty when the configuration keeps none. Never holds a notice. */
    std::string_view text() const noexcept { return detail::view(answer_.text); }
    /** What the server said instead of the model; absent if it did not. */
    std::string_view notice() const noexcept { return detail::view(answer_.notice); }
    /** Words that the web search used (servers of 2023), otherwise empty. */
    std::string_view keyword() const noexcept { return detail::view(answer_.keyword); }
    /** Why it was interrupted, in English; absent if it was not. */
    std::string_view reason() const noexcept { return detail::view(answer_.reason); }
    /** What it costs so far, in the server's unit. Servers charge nothing for an answer without text, whatever this says. */
    double quota() const noexcept { return answer_.quota; }
    /** The same as the server wrote it; "0" before any. */
    std::string_view quota_text() const noexcept { return detail::view(answer_.quota_text); }
    /** The conversation's id from the turn's opener, if it is known; -1 for anonymous. */
    std::optional<std::int64_t> conversation() const noexcept
    {
        return answer_.has_conversation ? std::optional(answer_.conversation) : std::nullopt;
    }
    /** How many frames carried text of the answer. */
    std::uint64_t chunks() const noexcept { return answer_.chunks; }
    /** How many messages that could not be read came while the turn ran. */
    std::uint64_t malformed() const noexcept { return answer_.malformed; }

    /** The C interface's, to be filled. */
    chatnio_answer *native() noexcept { return &answer_; }
    /** The C interface's. */
    const chatnio_answer *native() const noexcept { return &answer_; }

private:
    chatnio_answer answer_{};
};

/**
 * What happened. A copy shows the same memory: all that it points to lives until the next call on the same handle that
 * may bring an event, or frees it.
 */
class Event {
public:
    /** One that is none: `CHATNIO_EVENT_NONE`. */
    Event() noexcept { event_.size = sizeof event_; }

    /** What happened (`chatnio_event_kind`). Pass an unknown one over. */
    std::int32_t kind() const noexcept { return event_.kind; }
    /** Why, for `CHATNIO_EVENT_MALFORMED` and `CHATNIO_EVENT_CLOSED`; otherwise 0. */
    std::int32_t status() const noexcept { return event_.status; }
    /** The turn that it belongs to; 0 for none. */
    std::uint64_t turn() const noexcept { return event_.turn; }
    /** The piece of a delta, an end or a stray; what a malformed message or a close has to say. Otherwise absent. */
    std::string_view text() const noexcept { return detail::view(event_.text); }
    /** The frame that it was made from, or a malformed message, as it was received; absent when there was none. */
    std::string_view raw() const noexcept { return detail::view(event_.raw); }
    /** Opened, delta, end: what the turn has cost so far. Stray: the frame's own quota, or 0. */
    double quota() const noexcept { return event_.quota; }
    /** The same as the server wrote it, or "0"; absent in all other events. */
    std::string_view quota_text() const noexcept { return detail::view(event_.quota_text); }
    /** The answer, at its end. */
    std::optional<Answer> answer() const noexcept
    {
        return event_.answer != nullptr ? std::optional<Answer>(*event_.answer) : std::nullopt;
    }
    /** Opened: the conversation. Otherwise zeros. */
    Conversation conversation() const noexcept { return event_.conversation; }
    /** End: how it ended (`chatnio_outcome`); otherwise 0. */
    std::int32_t outcome() const noexcept { return event_.outcome; }
    /** End: why it was interrupted (`chatnio_interruption`); otherwise 0. */
    std::int32_t interruption() const noexcept { return event_.interruption; }
    /** Closed: the WebSocket's close code or the HTTP status, where there was one (200 for a refusal); otherwise 0. */
    std::int32_t code() const noexcept { return event_.code; }
    /** Whether the frame was an answer's last. */
    bool frame_end() const noexcept { return event_.frame_end; }

    /** The raw JSON of the frame's field `name`, known or unknown, if there is one. */
    std::optional<std::string_view> field(std::string_view name) const
    {
        chatnio_text value;
        const std::int32_t status = chatnio_event_field(&event_, name.data(), name.size(), &value);
        if (status == CHATNIO_ABSENT) {
            return std::nullopt;
        }
        detail::check(status);
        return detail::view(value);
    }

    /** The C interface's, to be filled. */
    chatnio_event *native() noexcept { return &event_; }
    /** The C interface's. */
    const chatnio_event *native() const noexcept { return &event_; }

private:
    chatnio_event event_{};
};

static_assert(sizeof(Event) == sizeof(chatnio_event) && std::is_standard_layout_v<Event>, "a batch is filled in place");

namespace detail {

/** An event that may be none. */
inline std::optional<Event> unless_none(const Event &event) noexcept
{
    return event.kind() != CHATNIO_EVENT_NONE ? std::optional<Event>(event) : std::nullopt;
}

} // namespace detail

/** The events that there are, got one by one: for a range-based `for`. Each lives until the next is got. */
template <typename Source>
class Events {
public:
    /** Goes through them once. */
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Event;
        using difference_type = std::ptrdiff_t;
        using pointer = const Event *;
        using reference = const Event &;

        /** The end. */
        iterator() noexcept = default;
        /** The first. */
        explicit iterator(Source *source) : source_(source) { ++*this; }

        reference operator*() const noexcept { return event_; }
        pointer operator->() const noexcept { return &event_; }

        /** Gets the next. */
        iterator &operator++()
        {
            if (!source_->advance(event_)) {
                source_ = nullptr;
            }
            return *this;
        }
        /** Gets the next; what it was is lost. */
        void operator++(int) { ++*this; }

        friend bool operator==(const iterator &a, const iterator &b) noexcept { return a.source_ == b.source_; }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept { return a.source_ != b.source_; }

    private:
        Source *source_ = nullptr;
        Event event_;
    };

    /** Of a connection or a client. */
    explicit Events(Source &source) noexcept : source_(&source) {}

    /** Gets the first. */
    iterator begin() const { return iterator(source_); }
    /** After the last. */
    iterator end() const noexcept { return iterator(); }

private:
    Source *source_;
};

/**
 * The settings of sessions, connections and clients, shared by any number of them: make one, and give it to all. It
 * cannot be changed once something was made with it (`CHATNIO_FROZEN`). A time or size of 0 switches a deadline or limit off.
 *
 * Setters give the configuration back, to be chained.
 */
class Config {
public:
    /** The defaults, to be changed. */
    Config()
    {
        chatnio_config *made;
        detail::check(chatnio_config_new(&made));
        config_.reset(made);
    }
    /** None: what is made with it takes the defaults. */
    Config(std::nullptr_t) noexcept {}
    /** Takes a handle over. */
    Config(Adopt, chatnio_config *native) noexcept : config_(native) {}

    /** Another owner of the same configuration. Any thread. */
    Config share() const
    {
        detail::check(chatnio_config_retain(native()));
        return Config(adopt, native());
    }

    /** Sends the authentication at once instead of with the first request. Off. */
    Config &auth_at_once(bool on) { return set(chatnio_config_set_auth_at_once(native(), on)); }
    /** Gathers each answer's text in the answer. On. */
    Config &keep_text(bool on) { return set(chatnio_config_set_keep_text(native(), on)); }
    /** Sends a keep-alive after so long without a message in either direction. 25 s. */
    Config &keep_alive(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_keep_alive(native(), detail::milliseconds(time)));
    }
    /** How long a turn's first frame may take. 120 s. */
    Config &first_frame(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_first_frame(native(), detail::milliseconds(time)));
    }
    /** How long each further frame may take. 120 s. */
    Config &next_frame(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_next_frame(native(), detail::milliseconds(time)));
    }
    /** How long a whole answer may take. Off. */
    Config &answer_within(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_answer_within(native(), detail::milliseconds(time)));
    }
    /** How long a turn may go on after its stop was sent. 10 s. */
    Config &after_stop(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_after_stop(native(), detail::milliseconds(time)));
    }
    /** How long what the server could lose is held after an end: see `chatnio_config_set_settle()`. 0.25 s. */
    Config &settle(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_settle(native(), detail::milliseconds(time)));
    }
    /** When a stop is sent again, in milliseconds from the first, in rising order. 150, 1000, 2000 and 4000. */
    Config &stop_repeats(const std::uint64_t *ms, std::size_t count)
    {
        return set(chatnio_config_set_stop_repeats(native(), ms, count));
    }
    /** The longest message to accept from the server. 32 MiB. */
    Config &max_message(std::size_t bytes) { return set(chatnio_config_set_max_message(native(), bytes)); }
    /** The longest message to send. 8 MiB. */
    Config &max_request(std::size_t bytes) { return set(chatnio_config_set_max_request(native(), bytes)); }
    /** The longest answer to accept, in bytes of its text. 64 MiB. */
    Config &max_answer(std::size_t bytes) { return set(chatnio_config_set_max_answer(native(), bytes)); }
    /** Records what is sent and received, without tokens. Off. */
    Config &record(bool on) { return set(chatnio_config_set_record(native(), on)); }
    /** How much to record. 64 MiB. */
    Config &max_recording(std::size_t bytes) { return set(chatnio_config_set_max_recording(native(), bytes)); }
    /** How long name look-up and TCP connect of a client may take together. 10 s. */
    Config &connect(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_connect(native(), detail::milliseconds(time)));
    }
    /** How long the way through a proxy and the TLS and WebSocket handshakes may take together. 10 s. */
    Config &handshake(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_handshake(native(), detail::milliseconds(time)));
    }
    /** Sends a WebSocket ping after so long without a byte from the server. 30 s: keeps open what a gateway closes. */
    Config &ping_after(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_ping_after(native(), detail::milliseconds(time)));
    }
    /** How long the ping's answer may take before the connection counts as dead. 10 s. */
    Config &pong_within(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_pong_within(native(), detail::milliseconds(time)));
    }
    /** How long the server may take to answer a closing. 3 s. */
    Config &close(std::chrono::milliseconds time)
    {
        return set(chatnio_config_set_close(native(), detail::milliseconds(time)));
    }
    /** Lets a token go over plain ws:// to another machine, be it the server's or the proxy's. Off. */
    Config &allow_token_over_plain_ws(bool on)
    {
        return set(chatnio_config_set_allow_token_over_plain_ws(native(), on));
    }
    /** Adds a header to the WebSocket handshake's request. */
    Config &add_header(std::string_view name, std::string_view value)
    {
        return set(chatnio_config_add_header(native(), name.data(), name.size(), value.data(), value.size()));
    }
    /** Goes through a proxy: `http://`, `socks5://` or `socks5h://`; empty for none. */
    Config &proxy(std::string_view url) { return set(chatnio_config_set_proxy(native(), url.data(), url.size())); }
    /** Goes through the proxy that the environment names for a server, if there is one, as curl has it. */
    Config &proxy_from_environment(std::string_view server_url)
    {
        return set(
            chatnio_config_set_proxy_from_environment(native(), server_url.data(), server_url.size(), nullptr));
    }
    /** How often a client, or a host by `Retry`, tries again to connect. 2. */
    Config &connect_retries(std::uint32_t retries)
    {
        return set(chatnio_config_set_connect_retries(native(), retries));
    }
    /** How often a second all clients, and hosts by `Retry`, with this configuration may connect together. No limit. */
    Config &connects_per_second(std::uint32_t connects)
    {
        return set(chatnio_config_set_connects_per_second(native(), connects));
    }
    /** Shows a certificate to servers that ask for one: the chain and the key in PEM. */
    Config &client_certificate_pem(std::string_view chain, std::string_view key)
    {
        return set(chatnio_config_set_client_certificate_pem(native(), chain.data(), chain.size(), key.data(),
                                                             key.size()));
    }
    /** The same from two files, which may be one. */
    Config &client_certificate_file(std::string_view chain, std::string_view key)
    {
        return set(chatnio_config_set_client_certificate_file(native(), chain.data(), chain.size(), key.data(),
                                                              key.size()));
    }
    /** Writes the secrets of every TLS session to the end of a file, with which everybody can read what is sent. Off. */
    Config &key_log_file(std::string_view path)
    {
        return set(chatnio_config_set_key_log_file(native(), path.data(), path.size()));
    }
    /** The same to a function of the host's, which must not throw; `user_data` outlives all that uses it. */
    Config &key_log_callback(chatnio_key_log callback, void *user_data)
    {
        return set(chatnio_config_set_key_log_callback(native(), callback, user_data));
    }
    /** Which root certificates count (`chatnio_trust`). `CHATNIO_TRUST_PLATFORM`. */
    Config &trust(std::int32_t trust) { return set(chatnio_config_set_trust(native(), trust)); }
    /** Adds every certificate in a file, PEM or DER, as a root. */
    Config &add_root_file(std::string_view path)
    {
        return set(chatnio_config_add_root_file(native(), path.data(), path.size()));
    }
    /** Adds every certificate in a PEM text as a root. */
    Config &add_roots_pem(std::string_view pem)
    {
        return set(chatnio_config_add_roots_pem(native(), pem.data(), pem.size()));
    }
    /** Adds one root certificate in DER. */
    Config &add_root_der(std::string_view der)
    {
        return set(chatnio_config_add_root_der(native(), detail::bytes(der), der.size()));
    }
    /** Accepts every certificate, so that anybody on the way can read and change everything. */
    Config &dangerous_accept_any_certificate()
    {
        return set(chatnio_config_dangerous_accept_any_certificate(native()));
    }
    /** Checks certificates as if it were always `unix_seconds`. */
    Config &wall_clock(std::uint64_t unix_seconds)
    {
        return set(chatnio_config_set_wall_clock(native(), unix_seconds));
    }
    /** Checks certificates by a clock of the host's, which must not throw; `user_data` outlives all that uses it. */
    Config &wall_clock_callback(chatnio_wall_clock callback, void *user_data)
    {
        return set(chatnio_config_set_wall_clock_callback(native(), callback, user_data));
    }
    /** Loads the root certificates now. The configuration cannot be changed any more then. Any thread. */
    void load_roots() const { check(chatnio_config_load_roots(native())); }

    /** The handle, still owned; NULL for none. */
    chatnio_config *native() const noexcept { return config_.get(); }

private:
    void check(std::int32_t status) const { detail::check<chatnio_config_error>(native(), status); }

    Config &set(std::int32_t status)
    {
        check(status);
        return *this;
    }

    detail::Owned<chatnio_config, chatnio_config_free> config_;
};

/** Who asks, and in which conversation. */
class Auth {
public:
    /** None: without an account. */
    Auth(std::nullptr_t) noexcept {}
    /** By an API key, a login token, or "anonymous"; in a new conversation, unless told otherwise. */
    explicit Auth(std::string_view token)
    {
        chatnio_auth *made;
        detail::check(chatnio_auth_new(token.data(), token.size(), &made));
        auth_.reset(made);
    }
    /** Takes a handle over. */
    Auth(Adopt, chatnio_auth *native) noexcept : auth_(native) {}

    /** Continues the stored conversation `id`; -1 starts a new one. */
    Auth &conversation(std::int64_t id)
    {
        detail::check(chatnio_auth_set_conversation(native(), id));
        return *this;
    }
    /** Starts a new conversation from a shared one, by the share's hash. */
    Auth &share(std::string_view hash)
    {
        detail::check(chatnio_auth_set_share(native(), hash.data(), hash.size()));
        return *this;
    }

    /** The handle, still owned; NULL for none. */
    chatnio_auth *native() const noexcept { return auth_.get(); }

private:
    detail::Owned<chatnio_auth, chatnio_auth_free> auth_;
};

/**
 * A request: made once, sent any number of times, on anything. What is not set is left out.
 *
 * Setters give the request back, to be chained where it is used at once: `client.ask(Request::chat("hi").model("m"))`.
 */
class Request {
public:
    /** Of a type (`chatnio_request_type`). */
    explicit Request(std::int32_t request_type)
    {
        chatnio_request *made;
        detail::check(chatnio_request_new(request_type, &made));
        request_.reset(made);
    }
    /** Takes a handle over. */
    Request(Adopt, chatnio_request *native) noexcept : request_(native) {}

    /** A question. */
    static Request chat(std::string_view message) { return with_message(CHATNIO_REQUEST_CHAT, message); }
    /** The last question again. */
    static Request restart() { return Request(CHATNIO_REQUEST_RESTART); }
    /** Ends the running answer, as the `stop` functions do. */
    static Request stop() { return Request(CHATNIO_REQUEST_STOP); }
    /** Puts a shared conversation before this one. */
    static Request share(std::string_view hash) { return with_message(CHATNIO_REQUEST_SHARE, hash); }
    /** Puts messages at the front of the conversation: see `add_mask()`. */
    static Request mask() { return Request(CHATNIO_REQUEST_MASK); }
    /** Replaces the text of a stored message. */
    static Request edit(std::uint32_t index, std::string_view text)
    {
        Request request = with_message(CHATNIO_REQUEST_EDIT, text);
        request.index(index);
        return request;
    }
    /** Removes a stored message. */
    static Request remove(std::uint32_t index)
    {
        Request request(CHATNIO_REQUEST_REMOVE);
        request.index(index);
        return request;
    }

    /** The question of a chat, the hash of a share, the JSON of a mask, the new text of an edit. */
    Request &message(std::string_view message)
    {
        return set(chatnio_request_set_message(native(), message.data(), message.size()));
    }
    /** Adds a message to a mask, by `role`: "system", "user" or "assistant". */
    Request &add_mask(std::string_view role, std::string_view content)
    {
        return set(
            chatnio_request_add_mask(native(), role.data(), role.size(), content.data(), content.size()));
    }
    /** The index of an edit or a remove, from 0. */
    Request &index(std::uint32_t index) { return set(chatnio_request_set_index(native(), index)); }
    /** The model's id. */
    Request &model(std::string_view model)
    {
        return set(chatnio_request_set_model(native(), model.data(), model.size()));
    }
    /** Searches the web first. */
    Request &web(bool on) { return set(chatnio_request_set_web(native(), on)); }
    /** Answers without the conversation so far. */
    Request &ignore_context(bool on) { return set(chatnio_request_set_ignore_context(native(), on)); }
    /** How many messages go to the model, the question included. */
    Request &context(std::int64_t messages) { return set(chatnio_request_set_context(native(), messages)); }
    /** The most tokens that the model may answer with. */
    Request &max_tokens(std::int64_t tokens) { return set(chatnio_request_set_max_tokens(native(), tokens)); }
    /** The sampling temperature. */
    Request &temperature(float value) { return set(chatnio_request_set_temperature(native(), value)); }
    /** Nucleus sampling: the share of probability to sample from. */
    Request &top_p(float value) { return set(chatnio_request_set_top_p(native(), value)); }
    /** Samples from so many of the likeliest tokens only. */
    Request &top_k(std::int64_t value) { return set(chatnio_request_set_top_k(native(), value)); }
    /** The penalty on tokens that have occurred. */
    Request &presence_penalty(float value) { return set(chatnio_request_set_presence_penalty(native(), value)); }
    /** The penalty on tokens by how often they have occurred. */
    Request &frequency_penalty(float value) { return set(chatnio_request_set_frequency_penalty(native(), value)); }
    /** How long the first frame of the answer may take, in place of `Config::first_frame()`. 0 is off. */
    Request &first_frame(std::chrono::milliseconds time)
    {
        return set(chatnio_request_set_first_frame(native(), detail::milliseconds(time)));
    }
    /** How long each further frame may take, in place of `Config::next_frame()`. 0 is off. */
    Request &next_frame(std::chrono::milliseconds time)
    {
        return set(chatnio_request_set_next_frame(native(), detail::milliseconds(time)));
    }
    /** How long the whole answer may take, in place of `Config::answer_within()`. 0 is off. */
    Request &answer_within(std::chrono::milliseconds time)
    {
        return set(chatnio_request_set_answer_within(native(), detail::milliseconds(time)));
    }
    /** Adds a field that this library does not know, with its value as JSON: see `chatnio_request_add_extra()`. */
    Request &extra(std::string_view name, std::string_view json)
    {
        return set(chatnio_request_add_extra(native(), name.data(), name.size(), json.data(), json.size()));
    }
    /** The penalty on repetition. */
    Request &repetition_penalty(float value) { return set(chatnio_request_set_repetition_penalty(native(), value)); }

    /** Its type (`chatnio_request_type`). */
    std::int32_t type() const { return detail::type_of(native()); }
    /** The handle, still owned. */
    chatnio_request *native() const noexcept { return request_.get(); }

private:
    static Request with_message(std::int32_t request_type, std::string_view message)
    {
        Request request(request_type);
        request.message(message);
        return request;
    }

    Request &set(std::int32_t status)
    {
        detail::check(status);
        return *this;
    }

    detail::Owned<chatnio_request, chatnio_request_free> request_;
};

/** A request of somebody else's: of a `Request`, or of a step of a replay. What takes requests takes this. */
class RequestView {
public:
    /** Lives as long as the request. */
    RequestView(const Request &request) noexcept : request_(request.native()) {}
    /** Of a handle. */
    explicit RequestView(const chatnio_request *native) noexcept : request_(native) {}

    /** Its type (`chatnio_request_type`). */
    std::int32_t type() const { return detail::type_of(native()); }
    /** The handle; NULL for none. */
    const chatnio_request *native() const noexcept { return request_; }

private:
    const chatnio_request *request_;
};

/** The frames of one connection, as readable text, which is never changed. */
class Transcript {
public:
    /** Reads a transcript. */
    explicit Transcript(std::string_view text)
    {
        chatnio_transcript *made;
        chatnio_error *error = nullptr;
        detail::check_made(chatnio_transcript_parse(text.data(), text.size(), &made, &error), error);
        transcript_.reset(made);
    }
    /** Takes a handle over. */
    Transcript(Adopt, chatnio_transcript *native) noexcept : transcript_(native) {}

    /** The transcript as text. It lives as long as the transcript. */
    std::string_view text() const
    {
        chatnio_text text;
        detail::check(chatnio_transcript_text(native(), &text));
        return detail::view(text);
    }

    /** The handle, still owned. */
    chatnio_transcript *native() const noexcept { return transcript_.get(); }

private:
    detail::Owned<chatnio_transcript, chatnio_transcript_free> transcript_;
};

/** One step of a replay. What it points to lives until the next step. */
class Step {
public:
    /** One that is none. */
    Step() noexcept { step_.size = sizeof step_; }

    /** What to do (`chatnio_step_kind`). */
    std::int32_t kind() const noexcept { return step_.kind; }
    /** The line of the transcript, from 1. */
    std::size_t line() const noexcept { return step_.line; }
    /** A message that arrives, or a warning; otherwise absent. */
    std::string_view text() const noexcept { return detail::view(step_.text); }
    /** The request to make; without one its `native()` is NULL. */
    RequestView request() const noexcept { return RequestView(step_.request); }

    /** The C interface's, to be filled. */
    chatnio_step *native() noexcept { return &step_; }
    /** The C interface's. */
    const chatnio_step *native() const noexcept { return &step_; }

private:
    chatnio_step step_{};
};

/** The client's side of a transcript, step by step. */
class Replay {
public:
    /** From the beginning. */
    explicit Replay(const Transcript &transcript)
    {
        chatnio_replay *made;
        detail::check(chatnio_replay_new(transcript.native(), &made));
        replay_.reset(made);
    }
    /** Takes a handle over. */
    Replay(Adopt, chatnio_replay *native) noexcept : replay_(native) {}

    /** The authentication that the session or connection is to be made with. */
    Auth auth() const
    {
        chatnio_auth *made;
        detail::check(chatnio_replay_auth(native(), &made));
        return Auth(adopt, made);
    }

    /** The next step, given the state that all steps before it have led to; none at the end. */
    std::optional<Step> next_step(std::int32_t state)
    {
        std::optional<Step> step(std::in_place);
        const std::int32_t status = chatnio_replay_next_step(native(), state, step->native());
        if (status == CHATNIO_ABSENT) {
            return std::nullopt;
        }
        detail::check(status);
        return step;
    }

    /** The handle, still owned. */
    chatnio_replay *native() const noexcept { return replay_.get(); }

private:
    detail::Owned<chatnio_replay, chatnio_replay_free> replay_;
};

namespace detail {

/** What sessions, connections and clients have in common, by the functions of each. */
template <typename T, auto FreeOf, auto TextOf, auto StateOf, auto AnswerOf, auto ConversationOf, auto CountersOf,
          auto MemoryOf, auto TranscriptOf>
class Chat {
public:
    /** Takes a handle over. */
    Chat(Adopt, T *native) noexcept : chat_(native) {}

    /** What it is doing (`chatnio_state`). */
    std::int32_t state() const
    {
        std::int32_t state;
        check(StateOf(native(), &state));
        return state;
    }
    /** The running turn's answer so far, if one runs. Its texts live as long as an event's. */
    std::optional<Answer> answer() const
    {
        std::optional<Answer> answer(std::in_place);
        return check_unless(CHATNIO_ABSENT, AnswerOf(native(), answer->native())) ? answer : std::nullopt;
    }
    /** Which conversation it is in, as far as the server has said. */
    Conversation conversation() const
    {
        Conversation conversation;
        check(ConversationOf(native(), &conversation));
        return conversation;
    }
    /** What was counted. */
    Counters counters() const
    {
        Counters counters{};
        counters.size = sizeof counters;
        check(CountersOf(native(), &counters));
        return counters;
    }
    /** About how many bytes it holds. */
    std::size_t memory() const
    {
        std::size_t bytes;
        check(MemoryOf(native(), &bytes));
        return bytes;
    }
    /** A transcript of what was sent and received so far, if the configuration records. */
    std::optional<Transcript> transcript() const
    {
        chatnio_transcript *made;
        if (!check_unless(CHATNIO_ABSENT, TranscriptOf(native(), &made))) {
            return std::nullopt;
        }
        return Transcript(adopt, made);
    }

    /** The handle, still owned. */
    T *native() const noexcept { return chat_.get(); }

protected:
    /** Throws if a call failed. */
    void check(std::int32_t status) const { detail::check<TextOf>(native(), status); }

    /** Throws if a call failed, unless by `usual`: whether it was done. */
    bool check_unless(std::int32_t usual, std::int32_t status) const
    {
        return detail::check_unless<TextOf>(usual, native(), status);
    }

private:
    Owned<T, FreeOf> chat_;
};

} // namespace detail

/**
 * The chat protocol on one connection, at message level: the host has the WebSocket.
 *
 * Text messages of the server go in by `receive()`; after every call that takes `now`, the host sends what
 * `next_transmit()` hands out until there is none, and arms its timer anew by `deadline()`.
 */
class Session
    : public detail::Chat<chatnio_session, chatnio_session_free, chatnio_session_error, chatnio_session_state,
                          chatnio_session_answer, chatnio_session_conversation, chatnio_session_counters,
                          chatnio_session_memory, chatnio_session_transcript> {
public:
    using Chat::Chat;

    /** For a WebSocket that is open or being opened. */
    explicit Session(std::uint64_t now, const Auth &auth = nullptr, const Config &config = nullptr)
        : Chat(adopt, make(now, auth, config))
    {
    }

    /** Sends a request; false (`CHATNIO_BUSY`) when a turn runs, and nothing was sent. */
    [[nodiscard]] bool request(std::uint64_t now, RequestView request)
    {
        return check_unless(CHATNIO_BUSY, chatnio_session_request(native(), now, request.native()));
    }
    /** Asks the server to end the running answer; whether a stop goes out. */
    bool stop(std::uint64_t now)
    {
        bool sent;
        check(chatnio_session_stop(native(), now, &sent));
        return sent;
    }
    /** Takes one text message of the server: exactly one event. Frames behind the first are due at once, by `handle_timeout()`. */
    Event receive(std::uint64_t now, std::string_view message)
    {
        Event event;
        check(chatnio_session_receive(native(), now, message.data(), message.size(), event.native()));
        return event;
    }
    /** Takes a binary message of the server: `CHATNIO_EVENT_MALFORMED`. */
    Event receive_binary(std::uint64_t now)
    {
        Event event;
        check(chatnio_session_receive_binary(native(), now, event.native()));
        return event;
    }
    /** Hands out the next text message to send, exactly once. It lives until the next one is asked for. */
    std::optional<std::string_view> next_transmit()
    {
        chatnio_text message;
        return check_unless(CHATNIO_AGAIN, chatnio_session_next_transmit(native(), &message))
                   ? std::optional(detail::view(message))
                   : std::nullopt;
    }
    /** When `handle_timeout()` wants to be called; `UINT64_MAX` for never. */
    std::uint64_t deadline() const
    {
        std::uint64_t deadline;
        check(chatnio_session_deadline(native(), &deadline));
        return deadline;
    }
    /** Does what is due at `now`, one thing at a time: to be called until it gives none. */
    std::optional<Event> handle_timeout(std::uint64_t now)
    {
        std::optional<Event> event(std::in_place);
        return check_unless(CHATNIO_AGAIN, chatnio_session_handle_timeout(native(), now, event->native()))
                   ? event
                   : std::nullopt;
    }
    /** Tells the session that its connection is gone, and why (`chatnio_close_reason`): the end of a turn that ran. */
    std::optional<Event> closed(std::int32_t reason)
    {
        Event event;
        check(chatnio_session_closed(native(), reason, event.native()));
        return detail::unless_none(event);
    }
    /** Starts afresh for a new WebSocket: the end of a turn that ran. */
    std::optional<Event> reconnect(std::uint64_t now)
    {
        Event event;
        check(chatnio_session_reconnect(native(), now, event.native()));
        return detail::unless_none(event);
    }

private:
    static chatnio_session *make(std::uint64_t now, const Auth &auth, const Config &config)
    {
        chatnio_session *made;
        chatnio_error *error = nullptr;
        detail::check_made(chatnio_session_new(config.native(), auth.native(), now, &made, &error), error);
        return made;
    }
};

/**
 * The chat protocol on one connection, at byte level: TLS and WebSocket are inside, the host has the socket.
 *
 * Bytes of the server go in by `receive()`; then the events are taken, `for (auto &event : connection.events())`, and
 * bytes for the server by `transmit()` and `transmitted()`. What the host is to wait for then, `wants()` says.
 */
class Connection
    : public detail::Chat<chatnio_connection, chatnio_connection_free, chatnio_connection_error,
                          chatnio_connection_state, chatnio_connection_answer, chatnio_connection_conversation,
                          chatnio_connection_counters, chatnio_connection_memory, chatnio_connection_transcript> {
public:
    using Chat::Chat;

    /** To `url`; begins its handshake. */
    explicit Connection(std::string_view url, std::uint64_t now, const Auth &auth = nullptr,
                        const Config &config = nullptr)
        : Chat(adopt, make(url, now, auth, config))
    {
    }

    /** The host to connect the socket to. It lives as long as the connection, and a NUL follows it. */
    std::string_view host() const
    {
        chatnio_text host;
        check(chatnio_connection_host(native(), &host));
        return detail::view(host);
    }
    /** The port to connect the socket to. */
    std::uint16_t port() const
    {
        std::uint16_t port;
        check(chatnio_connection_port(native(), &port));
        return port;
    }
    /** Sends a request, at once or when the WebSocket is open; false (`CHATNIO_BUSY`) when a turn runs. */
    [[nodiscard]] bool request(std::uint64_t now, RequestView request)
    {
        return check_unless(CHATNIO_BUSY, chatnio_connection_request(native(), now, request.native()));
    }
    /** Stops the running answer; whether a stop goes out. */
    bool stop(std::uint64_t now)
    {
        bool sent;
        check(chatnio_connection_stop(native(), now, &sent));
        return sent;
    }
    /** Closes the connection in an orderly way. */
    void close(std::uint64_t now) { check(chatnio_connection_close(native(), now)); }
    /** Takes bytes of the server; false (`CHATNIO_UNDRAINED`) when none were taken: take the events that wait first. */
    [[nodiscard]] bool receive(std::uint64_t now, std::string_view bytes)
    {
        return check_unless(CHATNIO_UNDRAINED,
                            chatnio_connection_receive(native(), now, detail::bytes(bytes), bytes.size()));
    }
    /** Tells the connection that the stream has ended. */
    void eof(std::uint64_t now) { check(chatnio_connection_eof(native(), now)); }
    /** Tells the connection that the socket has failed: `errno` of the call that did, or 0. */
    void failed(std::uint64_t now, std::int32_t os_error)
    {
        check(chatnio_connection_failed(native(), now, os_error));
    }
    /** Does what is due at `now`. */
    void handle_timeout(std::uint64_t now) { check(chatnio_connection_handle_timeout(native(), now)); }

    /** Gets the next event, if there is one. */
    std::optional<Event> next_event()
    {
        std::optional<Event> event(std::in_place);
        return advance(*event) ? event : std::nullopt;
    }
    /** The events that there are now. */
    Events<Connection> events() noexcept { return Events<Connection>(*this); }
    /** Gets up to `capacity` events at once, and gives how many there were. All of them live together. */
    std::size_t next_events(Event *events, std::size_t capacity)
    {
        chatnio_event *const first = events != nullptr ? events->native() : nullptr;
        std::size_t count = 0;
        check_unless(CHATNIO_AGAIN,
                     chatnio_connection_next_events(native(), first, capacity, sizeof(Event), &count));
        return count;
    }

    /** The bytes to send next; they stay where they are until the next call of this or of `transmitted()`. */
    std::optional<std::string_view> transmit()
    {
        chatnio_bytes bytes;
        return check_unless(CHATNIO_AGAIN, chatnio_connection_transmit(native(), &bytes))
                   ? std::optional(detail::view(bytes))
                   : std::nullopt;
    }
    /** Says that the first `count` of those bytes were sent. */
    void transmitted(std::size_t count) { check(chatnio_connection_transmitted(native(), count)); }
    /** What the host is to wait for. */
    Wants wants() const
    {
        Wants wants{};
        wants.size = sizeof wants;
        check(chatnio_connection_wants(native(), &wants));
        return wants;
    }
    /** Starts afresh on a new socket: the end of a turn that ran. */
    std::optional<Event> reconnect(std::uint64_t now)
    {
        Event event;
        check(chatnio_connection_reconnect(native(), now, event.native()));
        return detail::unless_none(event);
    }
    /** A part of the HTTP answer that refused the connection (`chatnio_refusal_part`), if there is one. */
    std::optional<std::string_view> refusal(std::int32_t part) const
    {
        chatnio_text text;
        return check_unless(CHATNIO_ABSENT, chatnio_connection_refusal(native(), part, &text))
                   ? std::optional(detail::view(text))
                   : std::nullopt;
    }
    /** After how long the server that refused the connection wants to be asked again, if it has said so. */
    std::optional<std::chrono::milliseconds> retry_after() const
    {
        std::uint64_t ms;
        return check_unless(CHATNIO_ABSENT, chatnio_connection_retry_after(native(), &ms))
                   ? std::optional(std::chrono::milliseconds(ms))
                   : std::nullopt;
    }
    /** Why connecting may be tried again (`chatnio_retry_cause`), if that may help: see `Retry`. */
    std::optional<std::int32_t> retry_cause() const
    {
        std::int32_t cause;
        return check_unless(CHATNIO_ABSENT, chatnio_connection_retry_cause(native(), &cause))
                   ? std::optional(cause)
                   : std::nullopt;
    }
    /** The version of TLS and the cipher suite that were agreed on; none without TLS. */
    std::optional<std::pair<std::string_view, std::string_view>> tls() const
    {
        chatnio_text version;
        chatnio_text cipher;
        return check_unless(CHATNIO_ABSENT, chatnio_connection_tls(native(), &version, &cipher))
                   ? std::optional(std::pair(detail::view(version), detail::view(cipher)))
                   : std::nullopt;
    }
    /** A certificate that the server has shown, in DER: its own at 0. It lives until the next call of this. */
    std::optional<std::string_view> tls_certificate(std::size_t at)
    {
        chatnio_bytes der;
        return check_unless(CHATNIO_ABSENT, chatnio_connection_tls_certificate(native(), at, &der))
                   ? std::optional(detail::view(der))
                   : std::nullopt;
    }
    /** The body of the HTTP answer that refused the connection, if there is one. */
    std::optional<std::string_view> refusal_body() const
    {
        chatnio_text body;
        return check_unless(CHATNIO_ABSENT, chatnio_connection_refusal_body(native(), &body))
                   ? std::optional(detail::view(body))
                   : std::nullopt;
    }

private:
    friend class Events<Connection>::iterator;

    bool advance(Event &event)
    {
        return check_unless(CHATNIO_AGAIN, chatnio_connection_next_event(native(), event.native()));
    }

    static chatnio_connection *make(std::string_view url, std::uint64_t now, const Auth &auth, const Config &config)
    {
        chatnio_connection *made;
        chatnio_error *error = nullptr;
        detail::check_made(
            chatnio_connection_new(config.native(), auth.native(), url.data(), url.size(), now, &made, &error), error);
        return made;
    }
};

/**
 * When a connect that has failed is tried again, for hosts that connect by themselves: one connect with all its tries. It
 * neither connects nor waits. Only for what comes before the WebSocket is open.
 */
class Retry {
public:
    /** For a connect that begins at `now`, by the configuration's retries, limits and connects a second. */
    explicit Retry(std::uint64_t now, const Config &config = nullptr)
    {
        chatnio_retry *made;
        detail::check(chatnio_retry_new(config.native(), now, &made));
        retry_.reset(made);
    }
    /** For a companion call that begins at `now` and may take so long in all, with its answer; zero for no limit. */
    Retry(std::uint64_t now, std::chrono::milliseconds limit, const Config &config = nullptr)
    {
        chatnio_retry *made;
        detail::check(chatnio_retry_new_within(config.native(), detail::milliseconds(limit), now, &made));
        retry_.reset(made);
    }
    /** Takes a handle over. */
    Retry(Adopt, chatnio_retry *native) noexcept : retry_(native) {}

    /** When to begin a try that is at hand at `now`. Takes a place among those of all with this configuration. */
    std::uint64_t begin(std::uint64_t now)
    {
        std::uint64_t at;
        detail::check(chatnio_retry_begin(native(), now, &at));
        return at;
    }
    /**
     * A try has failed at `now`, by a cause (`chatnio_retry_cause`), and the server has asked to be left alone for so long:
     * when the next one is to follow, if it is. After more than 60 s none does.
     */
    std::optional<std::uint64_t> failed(std::uint64_t now, std::int32_t cause,
                                        std::optional<std::chrono::milliseconds> retry_after = std::nullopt)
    {
        const std::uint64_t after = retry_after ? detail::milliseconds(*retry_after) : 0;
        std::uint64_t at;
        const std::int32_t status = chatnio_retry_failed(native(), now, cause, after, &at);
        if (status == CHATNIO_ABSENT) {
            return std::nullopt;
        }
        detail::check(status);
        return at;
    }
    /** The same of a connection that is over; none where trying again brings the same. */
    std::optional<std::uint64_t> failed(std::uint64_t now, const Connection &connection)
    {
        const std::optional<std::int32_t> cause = connection.retry_cause();
        return cause ? failed(now, *cause, connection.retry_after()) : std::nullopt;
    }
    /** When all tries are to be over; `UINT64_MAX` for never. */
    std::uint64_t deadline() const
    {
        std::uint64_t deadline;
        detail::check(chatnio_retry_deadline(native(), &deadline));
        return deadline;
    }

    /** The handle, still owned. */
    chatnio_retry *native() const noexcept { return retry_.get(); }

private:
    detail::Owned<chatnio_retry, chatnio_retry_free> retry_;
};

/** Stops a client's answer, or closes it, from any thread. It may outlive its client, and does nothing then. */
class Stopper {
public:
    /** For a client that is still to be made: it ends its connect. */
    Stopper()
    {
        chatnio_stopper *made;
        detail::check(chatnio_stopper_new(&made));
        stopper_.reset(made);
    }
    /** Takes a handle over. */
    Stopper(Adopt, chatnio_stopper *native) noexcept : stopper_(native) {}

    /** Stops the running answer at once; whether a stop goes out. Any thread. */
    bool stop() const
    {
        bool sent;
        detail::check(chatnio_stopper_stop(native(), &sent));
        return sent;
    }
    /** Closes the connection at once. Any thread. */
    void close() const { detail::check(chatnio_stopper_close(native())); }

    /** The handle, still owned. */
    chatnio_stopper *native() const noexcept { return stopper_.get(); }

private:
    detail::Owned<chatnio_stopper, chatnio_stopper_free> stopper_;
};

/**
 * A blocking client: a TCP socket and a connection.
 *
 *     chatnio::Client client("wss://api.chatnio.net", chatnio::Auth("sk-..."));
 *     for (auto &event : client.ask(chatnio::Request::chat("hi"))) {
 *         // The last piece comes with the end.
 *         if (event.kind() == CHATNIO_EVENT_DELTA || event.kind() == CHATNIO_EVENT_END) {
 *             std::cout << event.text() << std::flush;
 *         }
 *         // The server answers instead of the model, or the answer is cut short.
 *         if (event.kind() == CHATNIO_EVENT_END && event.outcome() != CHATNIO_OUTCOME_COMPLETE) {
 *             std::cerr << event.answer()->notice() << event.answer()->reason();
 *         }
 *     }
 */
class Client
    : public detail::Chat<chatnio_client, chatnio_client_free, chatnio_client_error, chatnio_client_state,
                          chatnio_client_answer, chatnio_client_conversation, chatnio_client_counters,
                          chatnio_client_memory, chatnio_client_transcript> {
public:
    using Chat::Chat;

    /** Connects to `url`. */
    explicit Client(std::string_view url, const Auth &auth = nullptr, const Config &config = nullptr)
        : Chat(adopt, make(url, auth, config))
    {
    }

    /** Connects to `url`, with a stopper that is there before. */
    Client(std::string_view url, const Stopper &stopper, const Auth &auth = nullptr, const Config &config = nullptr)
        : Chat(adopt, make(url, stopper, auth, config))
    {
    }

    /** Over a TCP or Unix socket that the host has connected; the client works on a duplicate of it. */
    static Client over_socket(std::int64_t socket, std::string_view url, const Auth &auth = nullptr,
                              const Config &config = nullptr)
    {
        chatnio_client *made;
        chatnio_error *error = nullptr;
        detail::check_made(chatnio_client_new_socket(config.native(), auth.native(), url.data(), url.size(), socket,
                                                     &made, &error),
                           error);
        return Client(adopt, made);
    }

    /** Sends a request without waiting for its answer; false (`CHATNIO_BUSY`) when a turn runs. */
    [[nodiscard]] bool request(RequestView request)
    {
        return check_unless(CHATNIO_BUSY, chatnio_client_request(native(), request.native()));
    }

    /** Sends a chat or a restart; the events of its turn, up to its end. `CHATNIO_BUSY` is thrown. */
    Events<Client> ask(RequestView request)
    {
        check(chatnio_client_request(native(), request.native()));
        return events();
    }
    /** The further events of the running turn, up to its end; none when no turn runs. */
    Events<Client> events() noexcept { return Events<Client>(*this); }

    /**
     * Sends a chat or a restart and waits for its end. `CHATNIO_BUSY` is thrown, and so is `CHATNIO_INTERRUPTED`: go on
     * by `wait()`.
     */
    Event ask_and_wait(RequestView request)
    {
        Event event;
        check(chatnio_client_ask(native(), request.native(), event.native()));
        return event;
    }

    /**
     * Waits for the next event, without a limit: while no turn runs, a keep-alive is one. When a signal comes first that
     * is thrown, as `CHATNIO_INTERRUPTED`: nothing is lost, call again. So it is from `events()` and `ask()`.
     */
    Event next()
    {
        Event event;
        check(chatnio_client_next(native(), -1, event.native()));
        return event;
    }
    /** Waits for the next event so long; none when none came in time, or a signal came first: look at its flag. */
    std::optional<Event> next(std::chrono::milliseconds timeout)
    {
        std::optional<Event> event(std::in_place);
        return in_time(chatnio_client_next(native(), detail::wait_limit(timeout), event->native())) ? event
                                                                                                  : std::nullopt;
    }
    /**
     * Waits for the running turn's end, and passes over its pieces; none, at once, when no turn runs. Otherwise as
     * `next()`.
     */
    std::optional<Event> wait()
    {
        std::optional<Event> event(std::in_place);
        return check_unless(CHATNIO_AGAIN, chatnio_client_wait(native(), -1, event->native())) ? event : std::nullopt;
    }
    /** Waits for the running turn's end so long; otherwise as `next()` with a limit. */
    std::optional<Event> wait(std::chrono::milliseconds timeout)
    {
        std::optional<Event> event(std::in_place);
        return in_time(chatnio_client_wait(native(), detail::wait_limit(timeout), event->native())) ? event
                                                                                                  : std::nullopt;
    }

    /** Stops the running answer; whether a stop goes out. Its end comes by `next()`. */
    bool stop()
    {
        bool sent;
        check(chatnio_client_stop(native(), &sent));
        return sent;
    }
    /** Closes the connection in an orderly way, and waits for that: the end of a turn that ran. */
    std::optional<Event> close()
    {
        Event event;
        check(chatnio_client_close(native(), event.native()));
        return detail::unless_none(event);
    }
    /** Connects anew to the same URL: the end of a turn that ran. */
    std::optional<Event> reconnect()
    {
        Event event;
        check(chatnio_client_reconnect(native(), event.native()));
        return detail::unless_none(event);
    }
    /** The same over a socket that the host has connected anew. */
    std::optional<Event> reconnect_socket(std::int64_t socket)
    {
        Event event;
        check(chatnio_client_reconnect_socket(native(), socket, event.native()));
        return detail::unless_none(event);
    }
    /** The code with which the connection ended, or the HTTP status that a reconnect got; 0 where there was none. */
    std::int32_t end_code() const
    {
        std::int32_t code;
        check(chatnio_client_end_code(native(), &code));
        return code;
    }
    /** A part of the HTTP answer that refused a reconnect (`chatnio_refusal_part`), if there is one. */
    std::optional<std::string_view> refusal(std::int32_t part)
    {
        chatnio_text text;
        return check_unless(CHATNIO_ABSENT, chatnio_client_refusal(native(), part, &text))
                   ? std::optional(detail::view(text))
                   : std::nullopt;
    }
    /** After how long the server that refused a reconnect wants to be asked again, if it has said so. */
    std::optional<std::chrono::milliseconds> retry_after() const
    {
        std::uint64_t ms;
        return check_unless(CHATNIO_ABSENT, chatnio_client_retry_after(native(), &ms))
                   ? std::optional(std::chrono::milliseconds(ms))
                   : std::nullopt;
    }
    /** The version of TLS and the cipher suite that were agreed on; none without TLS. */
    std::optional<std::pair<std::string_view, std::string_view>> tls() const
    {
        chatnio_text version;
        chatnio_text cipher;
        return check_unless(CHATNIO_ABSENT, chatnio_client_tls(native(), &version, &cipher))
                   ? std::optional(std::pair(detail::view(version), detail::view(cipher)))
                   : std::nullopt;
    }
    /** A certificate that the server has shown, in DER: its own at 0. It lives until the next call of this. */
    std::optional<std::string_view> tls_certificate(std::size_t at)
    {
        chatnio_bytes der;
        return check_unless(CHATNIO_ABSENT, chatnio_client_tls_certificate(native(), at, &der))
                   ? std::optional(detail::view(der))
                   : std::nullopt;
    }
    /** The body of the HTTP answer that refused a reconnect, if there is one. It lives until this is called again. */
    std::optional<std::string_view> refusal_body()
    {
        chatnio_text body;
        return check_unless(CHATNIO_ABSENT, chatnio_client_refusal_body(native(), &body))
                   ? std::optional(detail::view(body))
                   : std::nullopt;
    }
    /** A stopper of this client. */
    Stopper stopper() const
    {
        chatnio_stopper *made;
        check(chatnio_client_stopper(native(), &made));
        return Stopper(adopt, made);
    }

private:
    friend class Events<Client>::iterator;

    /** Goes on from an event to the next of the turn. Where none runs, what is there already is all that there is. */
    bool advance(Event &event)
    {
        if (event.kind() == CHATNIO_EVENT_END) {
            return false;
        }
        const std::int32_t now = state();
        const bool waits = now != CHATNIO_STATE_IDLE && now != CHATNIO_STATE_DRAINING;
        return check_unless(CHATNIO_AGAIN, chatnio_client_next(native(), waits ? -1 : 0, event.native()));
    }

    /** Whether an event came. */
    bool in_time(std::int32_t status) const
    {
        return status != CHATNIO_INTERRUPTED && check_unless(CHATNIO_AGAIN, status);
    }

    static chatnio_client *make(std::string_view url, const Stopper &stopper, const Auth &auth, const Config &config)
    {
        chatnio_client *made;
        chatnio_error *error = nullptr;
        detail::check_made(chatnio_client_new_with_stopper(config.native(), auth.native(), url.data(), url.size(),
                                                           stopper.native(), &made, &error),
                           error);
        return made;
    }

    static chatnio_client *make(std::string_view url, const Auth &auth, const Config &config)
    {
        chatnio_client *made;
        chatnio_error *error = nullptr;
        detail::check_made(
            chatnio_client_new(config.native(), auth.native(), url.data(), url.size(), &made, &error), error);
        return made;
    }
};

/** A stored conversation: see `chatnio_rest_conversation`. */
struct RestConversation {
    /** Its id, for `Auth::conversation()`. */
    std::int64_t id;
    /** Its name. */
    std::string_view name;
    /** The model that was asked last; empty where the server does not say. */
    std::string_view model;
    /** How many messages there are to get; 0 in a list. */
    std::size_t messages;
    /** Whether its last question searched the web. */
    bool web;
    /** Whether a share was put in front of it. */
    bool shared;
    /** How many messages went to the model with the last question; 0 is the server's default. */
    std::int64_t context;
};

/** A message of a conversation: see `chatnio_rest_message`. */
struct RestMessage {
    /** Who says it. */
    std::string_view role;
    /** What is said. */
    std::string_view content;
};

/** A model: see `chatnio_rest_model`. */
struct RestModel {
    /** Its id, for `Request::model()`. */
    std::string_view id;
    /** Whose it is; empty where the server does not say. */
    std::string_view owned_by;
    /** When it was made, in seconds since 1970; 0 where the server does not say. */
    std::int64_t created;
};

/** The price of models: see `chatnio_rest_charge`. */
struct RestCharge {
    /** Its id. */
    std::int64_t id;
    /** How it counts. */
    std::string_view kind;
    /** The quota for 1000 tokens of the question. */
    double input;
    /** The quota for 1000 tokens of the answer; for one question with `times-billing`. */
    double output;
    /** For how many models it is: see `RestAnswer::charge_model()`. */
    std::size_t models;
    /** Whether the models answer without an account, too. */
    bool anonymous;
};

/** A share of one's own: see `chatnio_rest_share`. */
struct RestShare {
    /** What `Auth::share()` takes. */
    std::string_view hash;
    /** The id of the conversation that it shows. */
    std::int64_t conversation_id;
    /** That conversation's name. */
    std::string_view name;
    /** When it was made, as the server writes it. */
    std::string_view time;
};

/** A subscription: see `chatnio_rest_subscription`. */
struct RestSubscription {
    /** Whether there is one. */
    bool is_subscribed;
    /** Whether it is one for enterprises. */
    bool enterprise;
    /** Its level; 0 is none. */
    std::int64_t level;
    /** The days until it ends. */
    std::int64_t expired;
    /** When it ends, as the server writes it. */
    std::string_view expired_at;
    /** The days until its usage begins anew. */
    std::int64_t refresh;
    /** When its usage begins anew, as the server writes it. */
    std::string_view refresh_at;
};

/** The result of a companion call. All that it shows lives as long as it; what is not there is an empty `std::optional`. */
class RestAnswer {
public:
    /** Takes a handle over. */
    RestAnswer(Adopt, chatnio_rest_answer *native) noexcept : answer_(native) {}

    /** The whole result as JSON, the same in every language. A secret when the call was for one. */
    std::string_view json() const
    {
        chatnio_text text;
        detail::check(chatnio_rest_answer_json(native(), &text));
        return detail::view(text);
    }
    /** The number that the result is. */
    std::optional<double> number() const
    {
        double number;
        return there(chatnio_rest_answer_number(native(), &number)) ? std::optional(number) : std::nullopt;
    }
    /** The text that the result is. */
    std::optional<std::string_view> text() const
    {
        chatnio_text text;
        return optional(chatnio_rest_answer_text(native(), &text), text);
    }
    /** How many items the result has; of one conversation, its messages. */
    std::size_t count() const
    {
        std::size_t count;
        detail::check(chatnio_rest_answer_count(native(), &count));
        return count;
    }
    /** A conversation by its index, or (0) the one that was asked for. */
    std::optional<RestConversation> conversation(std::size_t index = 0) const
    {
        auto of = sized<chatnio_rest_conversation>();
        if (!there(chatnio_rest_answer_conversation(native(), index, &of))) {
            return std::nullopt;
        }
        return RestConversation{of.id,  detail::view(of.name), detail::view(of.model), of.messages,
                                of.web, of.shared,             of.context};
    }
    /** A message of the conversation, by its index. */
    std::optional<RestMessage> message(std::size_t index) const
    {
        auto of = sized<chatnio_rest_message>();
        if (!there(chatnio_rest_answer_message(native(), index, &of))) {
            return std::nullopt;
        }
        return RestMessage{detail::view(of.role), detail::view(of.content)};
    }
    /** A model by its index. */
    std::optional<RestModel> model(std::size_t index) const
    {
        auto of = sized<chatnio_rest_model>();
        if (!there(chatnio_rest_answer_model(native(), index, &of))) {
            return std::nullopt;
        }
        return RestModel{detail::view(of.id), detail::view(of.owned_by), of.created};
    }
    /** A price by its index. */
    std::optional<RestCharge> charge(std::size_t index) const
    {
        auto of = sized<chatnio_rest_charge>();
        if (!there(chatnio_rest_answer_charge(native(), index, &of))) {
            return std::nullopt;
        }
        return RestCharge{of.id, detail::view(of.kind), of.input, of.output, of.models, of.anonymous};
    }
    /** The id of the `nth` model that the price of that index is for. */
    std::optional<std::string_view> charge_model(std::size_t index, std::size_t nth) const
    {
        chatnio_text text;
        return optional(chatnio_rest_answer_charge_model(native(), index, nth, &text), text);
    }
    /** A share by its index. */
    std::optional<RestShare> share(std::size_t index) const
    {
        auto of = sized<chatnio_rest_share>();
        if (!there(chatnio_rest_answer_share(native(), index, &of))) {
            return std::nullopt;
        }
        return RestShare{detail::view(of.hash), of.conversation_id, detail::view(of.name), detail::view(of.time)};
    }
    /** The subscription. */
    std::optional<RestSubscription> subscription() const
    {
        auto of = sized<chatnio_rest_subscription>();
        if (!there(chatnio_rest_answer_subscription(native(), &of))) {
            return std::nullopt;
        }
        return RestSubscription{of.is_subscribed, of.enterprise,  of.level, of.expired, detail::view(of.expired_at),
                                of.refresh,       detail::view(of.refresh_at)};
    }

    /** The handle, still owned. */
    chatnio_rest_answer *native() const noexcept { return answer_.get(); }

private:
    template <typename Struct>
    static Struct sized() noexcept
    {
        Struct made{};
        made.size = sizeof made;
        return made;
    }

    static bool there(std::int32_t status)
    {
        if (status != CHATNIO_ABSENT) {
            detail::check(status);
        }
        return status == CHATNIO_OK;
    }

    static std::optional<std::string_view> optional(std::int32_t status, const chatnio_text &text)
    {
        return there(status) ? std::optional(detail::view(text)) : std::nullopt;
    }

    detail::Owned<chatnio_rest_answer, chatnio_rest_answer_free> answer_;
};

/** A companion call over plain HTTP: its request as data, and how its answer is read. The host does the HTTP. */
class RestCall {
public:
    /** A header of a request. */
    struct Header {
        /** Its name. */
        std::string_view name;
        /** Its value, which may be a secret. */
        std::string_view value;
    };

    /** A call of a type (`chatnio_rest_type`). */
    explicit RestCall(std::int32_t rest_type)
    {
        chatnio_rest_call *made;
        detail::check(chatnio_rest_call_new(rest_type, &made));
        call_.reset(made);
    }
    /** Takes a handle over. */
    RestCall(Adopt, chatnio_rest_call *native) noexcept : call_(native) {}

    /** Sets the id: of a conversation, or of a mask. */
    RestCall &id(std::int64_t id) { return set(chatnio_rest_call_set_id(native(), id)); }
    /** Sets the text: a new name, a hash, a code, a mask's name. */
    RestCall &text(std::string_view text)
    {
        return set(chatnio_rest_call_set_text(native(), text.data(), text.size()));
    }
    /** Sets the amount: the quota to buy, or the level to subscribe to. */
    RestCall &amount(std::int64_t amount) { return set(chatnio_rest_call_set_amount(native(), amount)); }
    /** Sets for how many months to subscribe. */
    RestCall &months(std::int64_t months) { return set(chatnio_rest_call_set_months(native(), months)); }
    /** Adds the index of a message to share; -1 is every message. */
    RestCall &add_index(std::int64_t index) { return set(chatnio_rest_call_add_index(native(), index)); }
    /** Adds a message to a mask. */
    RestCall &add_mask(std::string_view role, std::string_view content)
    {
        return set(
            chatnio_rest_call_add_mask(native(), role.data(), role.size(), content.data(), content.size()));
    }
    /** Sets what a mask is for, and its picture. */
    RestCall &describe_mask(std::string_view description, std::string_view avatar)
    {
        return set(chatnio_rest_call_describe_mask(native(), description.data(), description.size(), avatar.data(),
                                                   avatar.size()));
    }

    /** Makes the request, anew each time. Of `auth` only the token counts; without one no key is sent. */
    RestCall &prepare(const Auth &auth = nullptr, std::string_view prefix = "")
    {
        return set(chatnio_rest_call_prepare(native(), auth.native(), prefix.data(), prefix.size()));
    }
    /** The request's method. It and what follows live until the call is prepared anew or freed. */
    std::string_view method() const { return view<chatnio_rest_call_method>(); }
    /** The request's path and query. */
    std::string_view target() const { return view<chatnio_rest_call_target>(); }
    /** The request's body; absent with GET. */
    std::string_view body() const { return view<chatnio_rest_call_body>(); }
    /** A header of the request by its index; nothing behind the last. */
    std::optional<Header> header(std::size_t index) const
    {
        chatnio_text name, value;
        const std::int32_t status = chatnio_rest_call_header(native(), index, &name, &value);
        if (!detail::check_unless<chatnio_rest_call_error>(CHATNIO_ABSENT, native(), status)) {
            return std::nullopt;
        }
        return Header{detail::view(name), detail::view(value)};
    }

    /** Reads an answer: its HTTP status and its whole body. Throws when there is no result: see `words()`. */
    RestAnswer decode(std::int32_t http_status, std::string_view body)
    {
        chatnio_rest_answer *made;
        set(chatnio_rest_call_decode(native(), http_status, detail::bytes(body), body.size(), &made));
        return RestAnswer(adopt, made);
    }
    /** What the server said in the last answer that had no result; absent where it said nothing. */
    std::string_view words() const { return view<chatnio_rest_call_words>(); }
    /** Whether it may be sent again when nobody knows whether it has arrived. */
    bool is_repeatable() const { return flag<chatnio_rest_call_is_repeatable>(); }
    /** Whether, if it may be repeated, it may go better a second after the last answer. */
    bool is_retryable() const { return flag<chatnio_rest_call_is_retryable>(); }
    /** Why it may go better when it is made again (`chatnio_retry_cause`), if it may: see `Retry`. */
    std::optional<std::int32_t> retry_cause() const
    {
        std::int32_t cause;
        const std::int32_t status = chatnio_rest_call_retry_cause(native(), &cause);
        return detail::check_unless<chatnio_rest_call_error>(CHATNIO_ABSENT, native(), status) ? std::optional(cause)
                                                                                            : std::nullopt;
    }

    /** The handle, still owned. */
    chatnio_rest_call *native() const noexcept { return call_.get(); }

private:
    RestCall &set(std::int32_t status)
    {
        detail::check<chatnio_rest_call_error>(native(), status);
        return *this;
    }

    template <auto Get>
    std::string_view view() const
    {
        chatnio_text text;
        detail::check<chatnio_rest_call_error>(native(), Get(native(), &text));
        return detail::view(text);
    }

    template <auto Get>
    bool flag() const
    {
        bool flag;
        detail::check<chatnio_rest_call_error>(native(), Get(native(), &flag));
        return flag;
    }

    detail::Owned<chatnio_rest_call, chatnio_rest_call_free> call_;
};

/** The prefix of the companion calls of the server whose chat is at `path`, whose beginning it is. */
inline std::string_view rest_prefix(std::string_view path)
{
    std::size_t length;
    detail::check(chatnio_rest_prefix_len(path.data(), path.size(), &length));
    return path.substr(0, length);
}

} // namespace chatnio

#endif /* CHATNIO_HPP */
