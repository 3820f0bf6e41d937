/* What ffi/README.md shows, word for word: `make project` compares. */
#include "link.h"

/* When to connect again, after CHATNIO_EVENT_CLOSED and no CHATNIO_EVENT_OPEN; false for not at all. */
static bool next_try(chatnio_retry *retry, uint64_t now, const chatnio_connection *connection, uint64_t *at)
{
    int32_t cause;
    uint64_t after;
    if (chatnio_connection_retry_cause(connection, &cause) != CHATNIO_OK) {
        return false;
    }
    if (chatnio_connection_retry_after(connection, &after) != CHATNIO_OK) {
        after = 0; /* The server has not said. */
    }
    return chatnio_retry_failed(retry, now, cause, after, at) == CHATNIO_OK;
}

/* Moves bytes both ways until there are none; false when the connection took them no more. */
static bool exchange(chatnio_connection *connection, chatnio_peer *peer, uint64_t now)
{
    chatnio_bytes bytes;
    while (chatnio_connection_transmit(connection, &bytes) == CHATNIO_OK) {
        chatnio_peer_receive(peer, now, bytes.data, bytes.len);
        chatnio_connection_transmitted(connection, bytes.len);
    }
    while (chatnio_peer_transmit(peer, &bytes) == CHATNIO_OK) {
        if (chatnio_connection_receive(connection, now, bytes.data, bytes.len) != CHATNIO_OK) {
            return false;
        }
        chatnio_peer_transmitted(peer, bytes.len);
    }
    return true;
}

static void a_refusal_is_tried_again(void) {
    chatnio_connection *connection = NULL;
    OK(chatnio_connection_new(NULL, NULL, TEXT("ws://localhost"), START, &connection, NULL));
    chatnio_retry *retry = NULL;
    OK(chatnio_retry_new(NULL, START, &retry));
    uint64_t at = 0, deadline = 0;
    OK(chatnio_retry_deadline(retry, &deadline));
    OK(chatnio_retry_begin(retry, START, &at));
    EQUAL(START, at);
    CHECK(!next_try(retry, START, connection, &at));
    static const char SOON[] = "HTTP/1.1 503 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    OK(chatnio_connection_receive(connection, START, (const uint8_t *)SOON, sizeof SOON - 1));
    chatnio_event event = new_event();
    OK(chatnio_connection_next_event(connection, &event));
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    CHECK(next_try(retry, START, connection, &at));
    CHECK(at >= START + 7000 && at < deadline);
    OK(chatnio_connection_reconnect(connection, at, &event));
    EQUAL(CHATNIO_EVENT_NONE, event.kind);
    chatnio_retry_free(retry);
    chatnio_connection_free(connection);
}

static void a_connection_opens(void) {
    chatnio_connection *connection = NULL;
    OK(chatnio_connection_new(NULL, NULL, TEXT("ws://localhost"), START, &connection, NULL));
    chatnio_peer *peer = new_peer(0, false, NULL);
    CHECK(exchange(connection, peer, START));
    chatnio_event event = new_event();
    OK(chatnio_connection_next_event(connection, &event));
    EQUAL(CHATNIO_EVENT_OPEN, event.kind);
    chatnio_peer_free(peer);
    chatnio_connection_free(connection);
}

int main(void) {
    a_refusal_is_tried_again();
    a_connection_opens();
    return done();
}
