/* A connection in a poll(2) loop: what it wants when, and how it pushes back when its events are not taken. */
#include "server.h"

#include <fcntl.h>

static chatnio_wants wants_of(const chatnio_connection *connection) {
    chatnio_wants wants = new_wants();
    OK(chatnio_connection_wants(connection, &wants));
    return wants;
}

/* What a connection wants, step by step, without any socket. */
static void wants(void) {
    struct link link;
    link_new(&link, false, NULL, NULL);
    chatnio_event event = new_event();
    chatnio_bytes bytes, rest;

    /* A new one has its handshake to send, and is to be read. */
    chatnio_wants now = wants_of(link.connection);
    CHECK(now.want_write && now.want_read && !now.finished && now.deadline == START + 10000);
    OK(chatnio_connection_transmit(link.connection, &bytes));
    /* The same bytes until they are said to be sent, and the rest when a part was. */
    OK(chatnio_connection_transmit(link.connection, &rest));
    CHECK(rest.data == bytes.data && rest.len == bytes.len);
    IS(CHATNIO_INVALID, chatnio_connection_transmitted(link.connection, bytes.len + 1));
    OK(chatnio_connection_transmitted(link.connection, 0));
    OK(chatnio_peer_receive(link.peer, START, bytes.data, 10));
    OK(chatnio_connection_transmitted(link.connection, 10));
    OK(chatnio_connection_transmit(link.connection, &rest));
    EQUAL(bytes.len - 10, rest.len);
    OK(chatnio_peer_receive(link.peer, START, rest.data, rest.len));
    OK(chatnio_connection_transmitted(link.connection, rest.len));
    CHECK(!wants_of(link.connection).want_write);
    IS(CHATNIO_AGAIN, chatnio_connection_transmit(link.connection, &bytes));

    /* Input came: the events first, then more input. */
    OK(chatnio_peer_transmit(link.peer, &bytes));
    OK(chatnio_connection_receive(link.connection, START, bytes.data, bytes.len));
    OK(chatnio_peer_transmitted(link.peer, bytes.len));
    CHECK(!wants_of(link.connection).want_read);
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_EVENT_OPEN, event.kind);
    CHECK(!wants_of(link.connection).want_read);
    IS(CHATNIO_AGAIN, chatnio_connection_next_event(link.connection, &event));
    CHECK(wants_of(link.connection).want_read);

    /* Asked and answered. */
    link_ask(&link, "hi");
    link_say(&link, "{\"message\":\"x\",\"quota\":1,\"end\":true}");
    now = wants_of(link.connection);
    CHECK(now.want_read && !now.want_write && !now.finished);

    /* Closed: the goodbye is still to be sent, and the server's end to be read. */
    OK(chatnio_connection_close(link.connection, START));
    IS(CHATNIO_AGAIN, chatnio_connection_next_event(link.connection, &event));
    now = wants_of(link.connection);
    CHECK(now.want_write && now.want_read && !now.finished && now.deadline == START + 3000);
    OK(chatnio_connection_transmit(link.connection, &bytes));
    OK(chatnio_connection_transmitted(link.connection, bytes.len));
    CHECK(!wants_of(link.connection).finished);
    OK(chatnio_connection_eof(link.connection, START));
    /* Not before its last event is taken. */
    CHECK(!wants_of(link.connection).finished);
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    EQUAL(CHATNIO_CLOSED, event.status);
    now = wants_of(link.connection);
    CHECK(now.finished && !now.want_read && !now.want_write && now.deadline == UINT64_MAX);
    link_free(&link);
}

/* A host that takes no events may not give input for ever; nothing of what is refused is lost. */
static void undrained(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_max_message(config, 1 << 20));
    struct link link;
    link_new(&link, false, config, NULL);
    chatnio_config_free(config);
    link_exchange(&link);
    link_ask(&link, "hi");
    char frame[1000];
    memset(frame, 'x', sizeof frame);
    memcpy(frame, TEXT("{\"message\":\""));
    memcpy(frame + sizeof frame - 2, TEXT("\"}"));
    size_t given = 0, frames = 0;
    int32_t status = CHATNIO_OK;
    while (status == CHATNIO_OK) {
        OK(chatnio_peer_send(link.peer, frame, sizeof frame));
        frames++;
        chatnio_bytes bytes;
        OK(chatnio_peer_transmit(link.peer, &bytes));
        status = chatnio_connection_receive(link.connection, START, bytes.data, bytes.len);
        if (status == CHATNIO_OK) {
            given += bytes.len;
            OK(chatnio_peer_transmitted(link.peer, bytes.len));
        }
        CHECK(given < 4 << 20);
    }
    IS(CHATNIO_UNDRAINED, status);
    CHECK(given <= 1 << 20 && given > (1 << 20) - 2 * sizeof frame);
    size_t memory = 0;
    OK(chatnio_connection_memory(link.connection, &memory));
    CHECK(memory > given && memory < 4 * given);
    /* Taken, it goes on, and every frame was there. */
    link_exchange(&link);
    chatnio_answer answer = new_answer();
    OK(chatnio_connection_answer(link.connection, &answer));
    EQUAL(frames, answer.chunks);
    OK(chatnio_connection_memory(link.connection, &memory));
    link_free(&link);
}

/* Pings of 64 bytes, as each costs under valgrind, and of 2 at the end, where `len` is no multiple; it is even. */
static void fill_with_pings(uint8_t *bytes, size_t len) {
    CHECK(len % 2 == 0);
    for (size_t at = 0; at < len;) {
        bytes[at] = 0x89;
        bytes[at + 1] = len - at < 64 ? 0 : 62;
        at += 2u + bytes[at + 1];
    }
}

/* What is given at once is taken, whatever its size; only what would wait behind other input has a limit. */
static void much_at_once(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_max_message(config, 1));
    struct link link;
    link_new(&link, false, config, NULL);
    chatnio_config_free(config);
    link_exchange(&link);
    size_t limit = 1 << 20;
    /* One after the other; nothing waits once they are taken. */
    uint8_t *pings = calloc(limit + 16, 1);
    CHECK(pings != NULL);
    fill_with_pings(pings, limit + 16);
    chatnio_event event = new_event();
    IS(CHATNIO_AGAIN, chatnio_connection_next_event(link.connection, &event));
    OK(chatnio_connection_receive(link.connection, START, pings, limit));
    IS(CHATNIO_UNDRAINED, chatnio_connection_receive(link.connection, START, pings, 2));
    IS(CHATNIO_AGAIN, chatnio_connection_next_event(link.connection, &event));
    OK(chatnio_connection_receive(link.connection, START, pings, limit + 2));
    IS(CHATNIO_UNDRAINED, chatnio_connection_receive(link.connection, START, pings, 2));
    /* One look is not enough: until CHATNIO_AGAIN input may wait. */
    IS(CHATNIO_AGAIN, chatnio_connection_next_event(link.connection, &event));
    /* A message over the limit is told as what it is, also in one piece. */
    uint8_t head[10] = {0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 0};
    memcpy(pings, head, sizeof head);
    OK(chatnio_connection_receive(link.connection, START, pings, limit + sizeof head));
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    EQUAL(CHATNIO_OVERSIZED, event.status);
    free(pings);
    link_free(&link);
}

/* The loop of a host, as the header describes it; a real socket, non-blocking, and a server in another thread. */
static void poll_loop(bool tls) {
    struct server server;
    server_start(&server, 0, tls, NULL, 1);
    chatnio_config *config = server_config(&server);
    chatnio_auth *auth = new_auth("sk-x");
    int socket = connect_to(server.port);
    CHECK(fcntl(socket, F_SETFL, O_NONBLOCK) == 0);
    char url[64];
    chatnio_connection *connection = NULL;
    OK(chatnio_connection_new(config, auth, url, server_url(&server, url, sizeof url), now_ms(), &connection, NULL));
    chatnio_config_free(config);
    chatnio_auth_free(auth);
    chatnio_request *chat = new_chat("hi", "long-2000");
    OK(chatnio_connection_request(connection, now_ms(), chat));
    chatnio_request_free(chat);
    uint64_t pieces = 0, chunks = 0;
    int32_t last = CHATNIO_EVENT_NONE;
    while (last != CHATNIO_EVENT_CLOSED) {
        chatnio_event events[5];
        size_t count = 0;
        while (chatnio_connection_next_events(connection, events, 5, sizeof events[0], &count) == CHATNIO_OK) {
            for (size_t at = 0; at < count; at++) {
                last = events[at].kind;
                pieces += last == CHATNIO_EVENT_DELTA && events[at].text.len > 0;
                if (last == CHATNIO_EVENT_END) {
                    EQUAL(CHATNIO_OUTCOME_COMPLETE, events[at].outcome);
                    chunks = events[at].answer->chunks;
                    OK(chatnio_connection_close(connection, now_ms()));
                }
            }
        }
        chatnio_wants wants = wants_of(connection);
        if (wants.finished) {
            break;
        }
        short interest = (short)((wants.want_read ? POLLIN : 0) | (wants.want_write ? POLLOUT : 0));
        struct pollfd poller = {socket, interest, 0};
        int ready = poll(&poller, 1, chatnio_timeout_ms(wants.deadline, now_ms()));
        CHECK(ready >= 0);
        if (poller.revents & POLLOUT) {
            chatnio_bytes bytes;
            OK(chatnio_connection_transmit(connection, &bytes));
            ssize_t sent = send(socket, bytes.data, bytes.len, MSG_NOSIGNAL);
            CHECK(sent > 0 || errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
            OK(sent > 0 ? chatnio_connection_transmitted(connection, (size_t)sent)
                        : chatnio_connection_failed(connection, now_ms(), errno));
        }
        if (poller.revents & (POLLIN | POLLHUP)) {
            uint8_t buffer[777];
            ssize_t len = recv(socket, buffer, sizeof buffer, 0);
            OK(len > 0 ? chatnio_connection_receive(connection, now_ms(), buffer, (size_t)len)
                       : chatnio_connection_eof(connection, now_ms()));
        }
        OK(chatnio_connection_handle_timeout(connection, now_ms()));
    }
    EQUAL(CHATNIO_EVENT_CLOSED, last);
    CHECK(wants_of(connection).finished);
    EQUAL(2000, pieces);
    EQUAL(2000, chunks);
    chatnio_connection_free(connection);
    close(socket);
    server_join(&server);
}

/* A socket that fails says how. */
static void failed(void) {
    struct link link;
    link_new(&link, false, NULL, NULL);
    link_exchange(&link);
    link_ask(&link, "hi");
    OK(chatnio_connection_failed(link.connection, START, ECONNRESET));
    chatnio_event event = new_event();
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_EVENT_END, event.kind);
    EQUAL(CHATNIO_INTERRUPTION_CONNECTION_LOST, event.interruption);
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_IO, event.status);
    CHECK(contains(event.text.data, event.text.len, "reset"));
    link_free(&link);
}

/* Nor may it ask for ever without sending; nothing of what is refused is lost, and a stop goes out still. */
static void unsent(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_max_request(config, 10000));
    struct link link;
    link_new(&link, false, config, NULL);
    link_exchange(&link);
    chatnio_session *session = new_session(config, NULL, START);
    chatnio_config_free(config);
    char hash[9000];
    memset(hash, 'x', sizeof hash);
    chatnio_request *share = NULL;
    OK(chatnio_request_new(CHATNIO_REQUEST_SHARE, &share));
    OK(chatnio_request_set_message(share, hash, sizeof hash));
    for (int at = 0; at < 5; at++) {
        OK(chatnio_session_request(session, START, share));
        OK(chatnio_connection_request(link.connection, START, share));
    }
    IS(CHATNIO_UNSENT, chatnio_session_request(session, START, share));
    IS(CHATNIO_UNSENT, chatnio_connection_request(link.connection, START, share));
    char text[200];
    OK(chatnio_connection_error(link.connection, text, sizeof text, NULL));
    CHECK(contains(text, strlen(text), "over the limit of 40000"));
    link_exchange(&link);
    OK(chatnio_connection_request(link.connection, START, share));
    chatnio_text message;
    for (int at = 0; at < 6; at++) {
        OK(chatnio_session_next_transmit(session, &message));
    }
    IS(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &message));
    OK(chatnio_session_request(session, START, share));
    chatnio_request_free(share);
    chatnio_session_free(session);
    link_free(&link);
}

/* What the shown events point to counts as what is held. */
static void memory(void) {
    static char frame[100000];
    memset(frame, 'x', sizeof frame);
    memcpy(frame, TEXT("{\"message\":\""));
    memcpy(frame + sizeof frame - 2, TEXT("\"}"));
    struct link link;
    link_new(&link, false, NULL, NULL);
    link_exchange(&link);
    size_t before = 0, with = 0, after = 0;
    OK(chatnio_connection_memory(link.connection, &before));
    /* No turn runs, so that no answer keeps them. */
    for (int at = 0; at < 3; at++) {
        OK(chatnio_peer_send(link.peer, frame, sizeof frame));
    }
    chatnio_bytes bytes;
    OK(chatnio_peer_transmit(link.peer, &bytes));
    OK(chatnio_connection_receive(link.connection, START, bytes.data, bytes.len));
    chatnio_event events[3];
    size_t count = 0;
    OK(chatnio_connection_next_events(link.connection, events, 3, sizeof events[0], &count));
    EQUAL(3, count);
    EQUAL(CHATNIO_EVENT_STRAY, events[2].kind);
    OK(chatnio_connection_memory(link.connection, &with));
    CHECK(with >= before + 3 * sizeof frame);
    chatnio_event event = new_event();
    OK(chatnio_connection_reconnect(link.connection, START, &event));
    OK(chatnio_connection_memory(link.connection, &after));
    CHECK(after < before + sizeof frame);
    link_free(&link);

    chatnio_session *session = new_session(NULL, NULL, START);
    OK(chatnio_session_memory(session, &before));
    OK(chatnio_session_receive(session, START, frame, sizeof frame, &event));
    OK(chatnio_session_memory(session, &with));
    CHECK(with >= before + sizeof frame);
    chatnio_session_free(session);
}

/* What was received counts, though its events were not taken; and a reconnect begins from nothing. */
static void reconnected(void) {
    for (int ended = 0; ended < 2; ended++) {
        chatnio_config *config = new_config();
        OK(chatnio_config_set_max_message(config, 1 << 20));
        struct link link;
        link_new(&link, false, config, NULL);
        chatnio_config_free(config);
        link_exchange(&link);
        link_ask(&link, "hi");
        OK(chatnio_peer_send(link.peer, TEXT("{\"message\":\"a\",\"quota\":0.1}")));
        OK(chatnio_peer_send(link.peer, TEXT("{\"message\":\"b\",\"quota\":0.2}")));
        if (ended) {
            OK(chatnio_peer_send(link.peer, TEXT("{\"end\":true}")));
        }
        chatnio_bytes bytes;
        OK(chatnio_peer_transmit(link.peer, &bytes));
        OK(chatnio_connection_receive(link.connection, START, bytes.data, bytes.len));
        /* And as much as may wait behind it. */
        size_t rest = (1 << 20) - bytes.len;
        uint8_t *pings = calloc(rest, 1);
        CHECK(pings != NULL);
        fill_with_pings(pings, rest);
        OK(chatnio_connection_receive(link.connection, START, pings, rest));
        IS(CHATNIO_UNDRAINED, chatnio_connection_receive(link.connection, START, pings, 1));
        chatnio_event event = new_event();
        OK(chatnio_connection_reconnect(link.connection, START, &event));
        EQUAL(CHATNIO_EVENT_END, event.kind);
        EQUAL(ended ? CHATNIO_OUTCOME_COMPLETE : CHATNIO_OUTCOME_INTERRUPTED, event.outcome);
        EQUAL(ended ? 0 : CHATNIO_INTERRUPTION_RECONNECTED, event.interruption);
        TEXT_IS("ab", event.answer->text);
        TEXT_IS("0.2", event.quota_text);
        /* Nothing waits on the new connection: what is not HTTP yet is taken twice. */
        OK(chatnio_connection_receive(link.connection, START, (const uint8_t *)"HTTP/1.1 404 x\r\n", 16));
        OK(chatnio_connection_receive(link.connection, START, (const uint8_t *)"content-length: 4\r\n\r\nnope", 25));
        OK(chatnio_connection_next_event(link.connection, &event));
        EQUAL(CHATNIO_HTTP, event.status);
        chatnio_text body;
        OK(chatnio_connection_refusal_body(link.connection, &body));
        OK(chatnio_connection_reconnect(link.connection, START, &event));
        IS(CHATNIO_ABSENT, chatnio_connection_refusal_body(link.connection, &body));
        free(pings);
        link_free(&link);
    }
}

/* What the server says in plain HTTP instead of opening the WebSocket. */
static void refused(void) {
    static const struct {
        const char *answer;
        int32_t status;
        int32_t code;
        const char *body;
    } CASES[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", CHATNIO_HTTP, 404, "nope"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 73\r\n\r\n"
         "{\"error\":\"request_throttled\",\"reason\":\"too many requests\",\"status\":false}",
         CHATNIO_THROTTLED, 200, "{\"error\":\"request_throttled\",\"reason\":\"too many requests\",\"status\":false}"},
        {"HTTP/1.1 429 Slow down\r\nContent-Length: 4\r\n\r\nslow", CHATNIO_THROTTLED, 429, "slow"},
        {"HTTP/1.1 503 Away\r\nContent-Length: 4\r\n\r\naway", CHATNIO_UNAVAILABLE, 503, "away"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"reason\":\"gone\",\"status\":false}", CHATNIO_REFUSED, 200,
         "{\"reason\":\"gone\",\"status\":false}"},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
         CHATNIO_UPGRADE, 0, NULL},
        {"SSH-2.0-OpenSSH\r\n\r\n", CHATNIO_BAD_HTTP, 0, NULL},
    };
    for (size_t at = 0; at < sizeof CASES / sizeof CASES[0]; at++) {
        chatnio_connection *connection = NULL;
        OK(chatnio_connection_new(NULL, NULL, TEXT("ws://localhost"), START, &connection, NULL));
        OK(chatnio_connection_receive(connection, START, (const uint8_t *)CASES[at].answer, strlen(CASES[at].answer)));
        chatnio_event event = new_event();
        int32_t status = chatnio_connection_next_event(connection, &event);
        if (status != CHATNIO_OK || event.status != CASES[at].status) {
            FAIL("case %zu: %s, %s", at, chatnio_status_name(status), chatnio_status_name(event.status));
        }
        EQUAL(CASES[at].code, event.code);
        chatnio_text body;
        status = chatnio_connection_refusal_body(connection, &body);
        if (CASES[at].body != NULL) {
            OK(status);
            TEXT_IS(CASES[at].body, body);
        } else {
            IS(CHATNIO_ABSENT, status);
        }
        chatnio_connection_free(connection);
    }
}

/* With any argument without TLS: see lifetimes.c. */
int main(int argc, char **argv) {
    (void)argv;
    wants();
    undrained();
    much_at_once();
    for (int tls = 0; tls < (argc > 1 ? 1 : 2); tls++) {
        poll_loop(tls);
    }
    failed();
    unsent();
    memory();
    reconnected();
    refused();
    return done();
}
