/* Certificates and configurations: who is trusted, at what time, and what a configuration may still be told when. */
#include "link.h"

#include <unistd.h>

/* How a TLS connection to `peer` ends: CHATNIO_OK when its WebSocket opens. */
static int32_t connects(const chatnio_config *config, chatnio_peer *peer, const char *url) {
    struct link link;
    memset(&link, 0, sizeof link);
    link.peer = peer;
    link.now = START;
    OK(chatnio_connection_new(config, NULL, url, strlen(url), START, &link.connection, NULL));
    /* By hand, to see the first event only. */
    int32_t status = CHATNIO_AGAIN;
    chatnio_event event = new_event();
    while (status == CHATNIO_AGAIN) {
        chatnio_bytes bytes;
        while (chatnio_connection_transmit(link.connection, &bytes) == CHATNIO_OK) {
            OK(chatnio_peer_receive(peer, START, bytes.data, bytes.len));
            OK(chatnio_connection_transmitted(link.connection, bytes.len));
        }
        OK(chatnio_peer_transmit(peer, &bytes));
        OK(chatnio_connection_receive(link.connection, START, bytes.data, bytes.len));
        OK(chatnio_peer_transmitted(peer, bytes.len));
        status = chatnio_connection_next_event(link.connection, &event);
    }
    OK(status);
    status = event.kind == CHATNIO_EVENT_OPEN ? CHATNIO_OK : event.status;
    CHECK(status == CHATNIO_OK || event.text.len > 0);
    chatnio_connection_free(link.connection);
    return status;
}

/* Connects to a new peer by a configuration that `set` has changed. */
static int32_t connects_with(int32_t (*set)(const chatnio_config *, void *), void *argument, const char *url) {
    chatnio_peer *peer = new_peer(0, true, "");
    chatnio_config *config = new_config();
    trust_peer(config, peer);
    if (set != NULL) {
        OK(set(config, argument));
    }
    int32_t status = connects(config, peer, url);
    chatnio_config_free(config);
    chatnio_peer_free(peer);
    return status;
}

static int32_t fixed(const chatnio_config *config, void *seconds) {
    return chatnio_config_set_wall_clock(config, *(uint64_t *)seconds);
}

struct host_clock {
    uint64_t seconds;
    int calls;
};

static uint64_t tell(void *user_data) {
    struct host_clock *clock = user_data;
    clock->calls++;
    return clock->seconds;
}

static int32_t called(const chatnio_config *config, void *clock) {
    return chatnio_config_set_wall_clock_callback(config, tell, clock);
}

static int32_t accept_any(const chatnio_config *config, void *unused) {
    (void)unused;
    return chatnio_config_dangerous_accept_any_certificate(config);
}

/* The peer's certificate is good from 2020 to 4000. */
static void wall_clocks(void) {
    const char *url = "wss://localhost";
    uint64_t too_early = 1, good = 1700000000, too_late = 70000000000;
    IS(CHATNIO_OK, connects_with(NULL, NULL, url));
    IS(CHATNIO_OK, connects_with(NULL, NULL, "wss://127.0.0.1"));
    IS(CHATNIO_OK, connects_with(fixed, &good, url));
    IS(CHATNIO_TLS_NOT_YET_VALID, connects_with(fixed, &too_early, url));
    IS(CHATNIO_TLS_EXPIRED, connects_with(fixed, &too_late, url));
    struct host_clock clock = {good, 0};
    IS(CHATNIO_OK, connects_with(called, &clock, url));
    CHECK(clock.calls > 0);
    clock.seconds = too_early;
    IS(CHATNIO_TLS_NOT_YET_VALID, connects_with(called, &clock, url));
    clock.seconds = too_late;
    IS(CHATNIO_TLS_EXPIRED, connects_with(called, &clock, url));
}

static void issuers(void) {
    IS(CHATNIO_TLS_WRONG_NAME, connects_with(NULL, NULL, "wss://other.example"));
    IS(CHATNIO_OK, connects_with(accept_any, NULL, "wss://other.example"));

    /* The platform does not know it; and an issuer of the same name with another key is not the same. */
    chatnio_peer *peer = new_peer(0, true, ""), *other = new_peer(0, true, "");
    chatnio_config *config = new_config();
    IS(CHATNIO_TLS_UNKNOWN_ISSUER, connects(config, peer, "wss://localhost"));
    chatnio_config_free(config);
    chatnio_peer_free(peer);
    peer = new_peer(0, true, "");
    config = new_config();
    trust_peer(config, other);
    IS(CHATNIO_TLS_CERTIFICATE, connects(config, peer, "wss://localhost"));
    chatnio_config_free(config);
    chatnio_peer_free(peer);

    /* Trusting nobody at all cannot be meant. */
    config = new_config();
    chatnio_connection *connection = NULL;
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY));
    IS(CHATNIO_BAD_ROOTS, chatnio_connection_new(config, NULL, TEXT("wss://localhost"), START, &connection, NULL));
    IS(CHATNIO_BAD_ROOTS, chatnio_config_load_roots(config));
    char text[100];
    OK(chatnio_config_error(config, text, sizeof text, NULL));
    CHECK(strlen(text) > 0);
    chatnio_config_free(config);

    /* A platform whose roots are not there now may have them later. */
    char path[] = "/tmp/chatnio-roots-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0 && setenv("SSL_CERT_FILE", path, 1) == 0 && unsetenv("SSL_CERT_DIR") == 0);
    peer = new_peer(0, true, "");
    chatnio_text pem;
    OK(chatnio_peer_ca_pem(peer, &pem));
    config = new_config();
    IS(CHATNIO_TLS_NO_ROOTS, chatnio_config_load_roots(config));
    CHECK(write(file, pem.data, pem.len) == (ssize_t)pem.len);
    OK(chatnio_config_load_roots(config));
    close(file);
    CHECK(unlink(path) == 0 && unsetenv("SSL_CERT_FILE") == 0);
    IS(CHATNIO_OK, connects(config, peer, "wss://localhost"));
    chatnio_config_free(config);
    chatnio_peer_free(peer);

    /* A server that speaks no TLS. */
    static const char PLAIN[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    OK(chatnio_connection_new(NULL, NULL, TEXT("wss://localhost"), START, &connection, NULL));
    OK(chatnio_connection_receive(connection, START, (const uint8_t *)PLAIN, strlen(PLAIN)));
    chatnio_event event = new_event();
    OK(chatnio_connection_next_event(connection, &event));
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    EQUAL(CHATNIO_TLS_NOT_TLS, event.status);
    chatnio_connection_free(connection);
    chatnio_peer_free(other);
}

/* Roots from a file, and from texts that hold none. */
static void roots(void) {
    chatnio_peer *peer = new_peer(0, true, "");
    chatnio_text pem;
    OK(chatnio_peer_ca_pem(peer, &pem));
    char path[] = "/tmp/chatnio-roots-XXXXXX";
    int file = mkstemp(path);
    CHECK(file >= 0 && write(file, pem.data, pem.len) == (ssize_t)pem.len && close(file) == 0);
    chatnio_config *config = new_config();
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY));
    OK(chatnio_config_add_root_file(config, path, strlen(path)));
    CHECK(remove(path) == 0);
    IS(CHATNIO_BAD_ROOTS, chatnio_config_add_root_file(config, path, strlen(path)));
    char text[200];
    OK(chatnio_config_error(config, text, sizeof text, NULL));
    CHECK(contains(text, strlen(text), path));
    IS(CHATNIO_BAD_ROOTS, chatnio_config_add_roots_pem(config, TEXT("no certificate")));
    IS(CHATNIO_BAD_ROOTS, chatnio_config_add_root_der(config, (const uint8_t *)"\x30\x00", 2));
    IS(CHATNIO_BAD_HEADER, chatnio_config_add_header(config, TEXT("Host"), TEXT("x")));
    IS(CHATNIO_BAD_HEADER, chatnio_config_add_header(config, TEXT("X-A"), TEXT("secret\r\nX-B: y")));
    OK(chatnio_config_error(config, text, sizeof text, NULL));
    CHECK(strlen(text) > 0 && !contains(text, strlen(text), "secret"));
    OK(chatnio_config_load_roots(config));
    IS(CHATNIO_OK, connects(config, peer, "wss://localhost"));
    chatnio_config_free(config);
    chatnio_peer_free(peer);
}

/* A text that does not fit is cut between two characters, of however many bytes. */
static void cut_texts(void) {
    chatnio_config *config = new_config();
    static const char PATH[] = "/nowhere/a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80/z";
    IS(CHATNIO_BAD_ROOTS, chatnio_config_add_root_file(config, TEXT(PATH)));
    char whole[200];
    size_t len = 0;
    OK(chatnio_config_error(config, whole, sizeof whole, &len));
    CHECK(len < sizeof whole && contains(whole, len, PATH));
    for (size_t capacity = 1; capacity <= len + 1; capacity++) {
        char part[200];
        memset(part, '?', sizeof part);
        size_t same = 0;
        OK(chatnio_config_error(config, part, capacity, &same));
        EQUAL(len, same);
        size_t fits = capacity - 1;
        while (((unsigned char)whole[fits] & 0xc0) == 0x80) {
            fits--;
        }
        EQUAL(fits, strlen(part));
        CHECK(memcmp(part, whole, fits) == 0 && part[capacity] == '?');
    }
    /* It stays until the next call that fails. */
    OK(chatnio_config_set_record(config, true));
    size_t still = 0;
    OK(chatnio_config_error(config, NULL, 0, &still));
    EQUAL(len, still);
    IS(CHATNIO_INVALID, chatnio_config_set_trust(config, 0));
    OK(chatnio_config_error(config, whole, sizeof whole, NULL));
    CHECK(strcmp(whole, "no such trust") == 0);
    chatnio_config_free(config);
}

/* Whatever made use of it, a configuration cannot be changed any more, and is needed no more. */
static void frozen(void) {
    for (int how = 0; how < 3; how++) {
        chatnio_config *config = new_config();
        chatnio_session *session = NULL;
        chatnio_connection *connection = NULL;
        if (how == 0) {
            session = new_session(config, NULL, START);
        } else if (how == 1) {
            OK(chatnio_connection_new(config, NULL, TEXT("ws://localhost"), START, &connection, NULL));
        } else {
            OK(chatnio_config_load_roots(config));
        }
        uint64_t ms = 1;
        IS(CHATNIO_FROZEN, chatnio_config_set_auth_at_once(config, true));
        IS(CHATNIO_FROZEN, chatnio_config_set_stop_repeats(config, &ms, 1));
        IS(CHATNIO_FROZEN, chatnio_config_set_record(config, true));
        IS(CHATNIO_FROZEN, chatnio_config_set_max_message(config, 1));
        IS(CHATNIO_FROZEN, chatnio_config_set_connect(config, 1));
        IS(CHATNIO_FROZEN, chatnio_config_add_header(config, TEXT("X-A"), TEXT("x")));
        IS(CHATNIO_FROZEN, chatnio_config_set_trust(config, CHATNIO_TRUST_PLATFORM));
        IS(CHATNIO_FROZEN, chatnio_config_set_wall_clock(config, 1));
        IS(CHATNIO_FROZEN, chatnio_config_set_wall_clock_callback(config, tell, NULL));
        IS(CHATNIO_FROZEN, chatnio_config_dangerous_accept_any_certificate(config));
        char text[100];
        OK(chatnio_config_error(config, text, sizeof text, NULL));
        CHECK(contains(text, strlen(text), "in use"));
        /* Two owners. */
        OK(chatnio_config_retain(config));
        chatnio_config_free(config);
        chatnio_session *another = new_session(config, NULL, START);
        chatnio_config_free(config);
        chatnio_request *chat = new_chat("hi", NULL);
        OK(chatnio_session_request(another, START, chat));
        chatnio_request_free(chat);
        chatnio_session_free(another);
        chatnio_session_free(session);
        chatnio_connection_free(connection);
    }
}

int main(void) {
    wall_clocks();
    issuers();
    roots();
    cut_texts();
    frozen();
    return done();
}
