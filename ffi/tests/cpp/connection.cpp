// A connection, and a server in memory: no socket, and a clock of the test's own.

#include "check.hpp"

#include <array>
#include <chatnio_testing.h>

using namespace chatnio;

/** A server's end. */
using Peer = detail::Owned<chatnio_peer, chatnio_peer_free>;

static Peer make_peer(std::int32_t year, bool tls, const Transcript *script = nullptr)
{
    chatnio_peer *made = nullptr;
    chatnio_error *error = nullptr;
    const chatnio_transcript *played = script != nullptr ? script->native() : nullptr;
    detail::check_made(chatnio_peer_new(year, tls, played, &made, &error), error);
    return Peer(made);
}

/** Carries bytes until nothing moves any more; false when the connection takes no more before its events are taken. */
static bool carry(Connection &connection, chatnio_peer *peer, std::uint64_t now)
{
    for (bool moved = true; moved;) {
        moved = false;
        while (const auto bytes = connection.transmit()) {
            detail::check(chatnio_peer_receive(peer, now, detail::bytes(*bytes), bytes->size()));
            connection.transmitted(bytes->size());
            moved = true;
        }
        chatnio_bytes bytes;
        while (chatnio_peer_transmit(peer, &bytes) == CHATNIO_OK) {
            const std::size_t half = (bytes.len + 1) / 2;
            if (!connection.receive(now, detail::view(bytes).substr(0, half))) {
                return false;
            }
            detail::check(chatnio_peer_transmitted(peer, half));
            moved = true;
        }
    }
    return true;
}

/** What the peer waits for. */
static Wants peer_wants(chatnio_peer *peer)
{
    Wants wants{};
    wants.size = sizeof wants;
    detail::check(chatnio_peer_wants(peer, &wants));
    return wants;
}

static void a_conversation(std::int32_t year, bool tls)
{
    const Peer peer = make_peer(year, tls);
    Config config;
    std::string url = "ws://127.0.0.1:8094";
    if (tls) {
        chatnio_text pem;
        detail::check(chatnio_peer_ca_pem(peer.get(), &pem));
        config.add_roots_pem(detail::view(pem)).trust(CHATNIO_TRUST_ADDED_ONLY);
        url = "wss://localhost";
    }
    Connection connection(url, 0, Auth("sk-x"), config);
    CHECK(connection.host() == (tls ? "localhost" : "127.0.0.1") && connection.port() == (tls ? 443 : 8094));
    CHECK(connection.wants().want_write && connection.wants().deadline != UINT64_MAX);
    CHECK(connection.request(0, Request::chat("hi").model("hello")));
    CHECK(!connection.request(0, Request::chat("too early")));

    std::string text, whole;
    bool open = false, closed = false;
    std::uint64_t now = 0;
    for (;;) {
        CHECK(carry(connection, peer.get(), now));
        CHECK(!connection.answer() || text.size() <= connection.answer()->text().size());
        for (const Event &event : connection.events()) {
            if (event.kind() == CHATNIO_EVENT_OPEN) {
                open = true;
            } else if (event.kind() == CHATNIO_EVENT_DELTA) {
                text += event.text();
                CHECK(connection.answer()->text().substr(0, text.size()) == text);
            } else if (event.kind() == CHATNIO_EVENT_END) {
                text += event.text();
                whole = event.answer()->text();
                connection.close(now);
            } else if (event.kind() == CHATNIO_EVENT_CLOSED) {
                CHECK(event.status() == CHATNIO_CLOSED);
                closed = true;
            }
        }
        CHECK(carry(connection, peer.get(), now));
        const Wants wants = connection.wants();
        if (wants.finished) {
            break;
        }
        // On to whatever is due next, theirs or ours.
        const Wants theirs = peer_wants(peer.get());
        if (theirs.finished) {
            connection.eof(now); // Some answer a closing by hanging up.
            continue;
        }
        const std::uint64_t next = std::min(theirs.deadline, wants.deadline);
        CHECK(next != UINT64_MAX);
        now = std::max(now, next);
        detail::check(chatnio_peer_handle_timeout(peer.get(), now));
        CHECK(carry(connection, peer.get(), now));
        connection.handle_timeout(now);
    }
    CHECK(open && closed && text == "Hello! How can I help?" && whole == text);
    CHECK(connection.state() == CHATNIO_STATE_CLOSED && connection.memory() > 0);
    CHECK(!connection.refusal_body() && !connection.transcript());
}

static void a_batch()
{
    Transcript script("> SEND {\"token\":\"sk-...\",\"id\":-1}\n> SEND {\"type\":\"chat\",\"message\":\"hi\"}\n"
                      "< RECV {\"conversation\":1}\n< RECV {\"message\":\"a\"}\n< RECV {\"message\":\"b\"}\n"
                      "< RECV {\"message\":\"c\",\"quota\":1,\"end\":true}\n");
    const Peer peer = make_peer(2024, false, &script);
    Connection connection("ws://localhost", 0, Auth("sk-x"));
    CHECK(connection.request(0, Request::chat("hi")));

    std::array<Event, 16> batch;
    std::string kinds;
    for (int round = 0; round < 8; round++) {
        carry(connection, peer.get(), 0);
        const std::size_t count = connection.next_events(batch.data(), batch.size());
        // All of a batch lives together.
        for (std::size_t i = 0; i < count; i++) {
            kinds += std::to_string(batch[i].kind());
            kinds += batch[i].text();
        }
    }
    CHECK(kinds == "123a3b4c");
    CHECK(test::throws(CHATNIO_INVALID, [&] { connection.next_events(batch.data(), 0); }));
    CHECK(connection.next_events(batch.data(), 1) == 0 && !connection.next_event());
    CHECK(test::throws(CHATNIO_INVALID, [&] { connection.transmitted(1); }));
}

static void ends()
{
    Connection connection("ws://localhost", 0);
    CHECK(connection.request(0, Request::chat("hi")));
    connection.failed(1, 111);
    std::string kinds;
    for (const Event &event : connection.events()) {
        kinds += std::to_string(event.kind());
    }
    CHECK(kinds == "49"); // The turn's end, and the connection's.
    CHECK(!connection.next_event() && connection.wants().finished && !connection.wants().want_read);

    CHECK(!connection.reconnect(2) && connection.state() == CHATNIO_STATE_IDLE && connection.wants().want_write);
    CHECK(connection.request(2, Request::chat("hi")));
    CHECK(!connection.stop(2) || connection.state() == CHATNIO_STATE_STOPPING);
    connection.eof(3);
    CHECK(connection.next_event()->outcome() == CHATNIO_OUTCOME_INTERRUPTED);
    CHECK(connection.next_event()->status() == CHATNIO_END_OF_STREAM);
}

static void a_connect_is_tried_again()
{
    Config config;
    config.connect_retries(1).connect(std::chrono::seconds(3)).handshake(std::chrono::seconds(1));
    Retry retry(100, config);
    CHECK(retry.deadline() == 4100 && retry.begin(200) == 200);
    Connection connection("ws://127.0.0.1", 100, nullptr, config);
    CHECK(!connection.retry_cause() && !retry.failed(200, connection));
    CHECK(connection.receive(200, "HTTP/1.1 503 x\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"));
    CHECK(connection.next_event()->kind() == CHATNIO_EVENT_CLOSED);
    CHECK(connection.retry_cause() == CHATNIO_RETRY_UNAVAILABLE);
    const auto at = retry.failed(300, connection);
    CHECK(at && *at >= 2300 && *at <= 3300);
    CHECK(!retry.failed(*at, CHATNIO_RETRY_LOST));
    CHECK(!Retry(0, config).failed(0, CHATNIO_RETRY_THROTTLED, std::chrono::seconds(4)));
    CHECK(Retry(0, std::chrono::seconds(30), config).failed(0, CHATNIO_RETRY_THROTTLED, std::chrono::seconds(4)));
    CHECK(Retry(7, std::chrono::seconds(30)).deadline() == 30007);
}

static void a_refusal()
{
    Connection connection("ws://localhost", 0);
    CHECK(connection.receive(0, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"));
    const std::optional<Event> event = connection.next_event();
    CHECK(event->kind() == CHATNIO_EVENT_CLOSED && event->status() == CHATNIO_HTTP && event->code() == 404);
    CHECK(connection.refusal_body() == "nope" && !connection.next_event());
}

static void undrained()
{
    const Peer peer = make_peer(2026, false);
    Config config;
    config.max_message(1 << 20);
    Connection connection("ws://localhost", 0, nullptr, config);
    CHECK(carry(connection, peer.get(), 0));
    CHECK(connection.next_event()->kind() == CHATNIO_EVENT_OPEN);

    // Until it takes no more; then again, once the events are taken.
    const std::string message(100'000, 'x');
    bool taken = true;
    unsigned messages = 0;
    for (; taken && messages < 100; messages++) {
        detail::check(chatnio_peer_send(peer.get(), message.data(), message.size()));
        taken = carry(connection, peer.get(), 0);
    }
    CHECK(!taken && !connection.wants().want_read);
    unsigned events = 0;
    for (unsigned round = 0; round < 100; round++) {
        for (const Event &event : connection.events()) {
            CHECK(event.kind() == CHATNIO_EVENT_MALFORMED);
            events++;
        }
        carry(connection, peer.get(), 0);
    }
    CHECK(events == messages);
}

int main()
{
    for (const std::int32_t year : {2023, 2024, 2026}) {
        a_conversation(year, false);
        a_conversation(year, true);
    }
    a_batch();
    ends();
    a_refusal();
    a_connect_is_tried_again();
    undrained();
    CHECK(chatnio_testing_live_handles() == 0);
    std::printf("connection: %u checks\n", test::checks.load());
}
