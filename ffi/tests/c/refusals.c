/* What a client is told that cannot connect, first or anew, and what is left of it then. */
#include "server.h"

static const char GONE[] = "{\"reason\":\"gone\",\"status\":false}";

/* What the server says in plain HTTP instead of opening a WebSocket. */
static const struct {
    const char *answer;
    int32_t status;
    int32_t code;
    const char *body;
} CASES[] = {
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", CHATNIO_HTTP, 404, "nope"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"reason\":\"gone\",\"status\":false}", CHATNIO_REFUSED, 200, GONE},
    {"HTTP/1.1 200 OK\r\nContent-Length: 73\r\n\r\n"
     "{\"error\":\"request_throttled\",\"reason\":\"too many requests\",\"status\":false}",
     CHATNIO_THROTTLED, 200, "{\"error\":\"request_throttled\",\"reason\":\"too many requests\",\"status\":false}"},
    {"HTTP/1.1 429 Slow down\r\nContent-Length: 4\r\n\r\nslow", CHATNIO_THROTTLED, 429, "slow"},
    {"HTTP/1.1 503 Away\r\nContent-Length: 4\r\n\r\naway", CHATNIO_UNAVAILABLE, 503, "away"},
    {"SSH-2.0-OpenSSH\r\n\r\n", CHATNIO_BAD_HTTP, 0, NULL},
};
#define CASE_COUNT (sizeof CASES / sizeof CASES[0])

struct refuser {
    int listener;
    uint16_t port;
    int connections;
    pthread_t thread;
};

/* Answers each connection with its case, one after the other. */
static void *refuse(void *context) {
    struct refuser *refuser = context;
    for (int at = 0; at < refuser->connections; at++) {
        int socket = accept(refuser->listener, NULL, NULL);
        CHECK(socket >= 0);
        char request[2000];
        size_t len = 0;
        while (!contains(request, len, "\r\n\r\n")) {
            ssize_t got = recv(socket, request + len, sizeof request - len, 0);
            CHECK(got > 0);
            len += (size_t)got;
        }
        const char *answer = CASES[at].answer;
        CHECK(send(socket, answer, strlen(answer), MSG_NOSIGNAL) == (ssize_t)strlen(answer));
        close(socket);
    }
    return NULL;
}

static void refuser_start(struct refuser *refuser) {
    refuser->connections = CASE_COUNT;
    refuser->listener = listen_on_loopback(&refuser->port);
    start_thread(&refuser->thread, refuse, refuser);
}

static void refuser_join(struct refuser *refuser) {
    CHECK(pthread_join(refuser->thread, NULL) == 0);
    close(refuser->listener);
}

/* A client that is never made: its error has it all. */
static void at_first(void) {
    struct refuser refuser;
    refuser_start(&refuser);
    char url[64];
    size_t url_len = (size_t)snprintf(url, sizeof url, "ws://127.0.0.1:%u", (unsigned)refuser.port);
    /* Each answer comes once. */
    chatnio_config *once = new_config();
    OK(chatnio_config_set_connect_retries(once, 0));
    for (size_t at = 0; at < CASE_COUNT; at++) {
        chatnio_client *client = NULL;
        chatnio_error *error = NULL;
        IS(CASES[at].status, chatnio_client_new(once, NULL, url, url_len, &client, &error));
        int32_t code = -1;
        OK(chatnio_error_code(error, &code));
        EQUAL(CASES[at].code, code);
        chatnio_text body;
        IS(CASES[at].body != NULL ? CHATNIO_OK : CHATNIO_ABSENT, chatnio_error_body(error, &body));
        if (CASES[at].body != NULL) {
            TEXT_IS(CASES[at].body, body);
        }
        chatnio_error_free(error);
    }
    chatnio_config_free(once);
    refuser_join(&refuser);
}

/* The calls of a client without a connection: each answers the same, until it reconnects. */
static void is_gone(chatnio_client *client, int32_t status) {
    chatnio_request *chat = new_chat("hi", "hello");
    chatnio_event event = new_event();
    for (int again = 0; again < 2; again++) {
        IS(status, chatnio_client_next(client, -1, &event));
        IS(status, chatnio_client_wait(client, -1, &event));
        IS(status, chatnio_client_request(client, chat));
        IS(status, chatnio_client_ask(client, chat, &event));
        IS(status, chatnio_client_close(client, &event));
        IS(CHATNIO_CLOSED, chatnio_client_stop(client, NULL));
    }
    int32_t state = 0;
    OK(chatnio_client_state(client, &state));
    EQUAL(CHATNIO_STATE_CLOSED, state);
    chatnio_request_free(chat);
}

/* The end of the turn that ran when the client reconnected in vain. */
static void turn_has_ended(chatnio_client *client) {
    chatnio_event event = new_event();
    OK(chatnio_client_next(client, -1, &event));
    EQUAL(CHATNIO_EVENT_END, event.kind);
    EQUAL(CHATNIO_INTERRUPTION_RECONNECTED, event.interruption);
}

/* A client of a model that never ends, with its answer begun. */
static chatnio_client *answering(const struct server *server) {
    chatnio_auth *auth = new_auth("sk-x");
    chatnio_client *client = server_client(server, NULL, auth);
    chatnio_auth_free(auth);
    chatnio_request *chat = new_chat("hi", "slow");
    OK(chatnio_client_request(client, chat));
    chatnio_request_free(chat);
    chatnio_event event = new_event();
    OK(chatnio_client_next(client, -1, &event));
    EQUAL(CHATNIO_EVENT_OPENED, event.kind);
    return client;
}

/* A server that is down: whatever is not connected, the old connection is over. */
static void down(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 1);
    chatnio_client *client = answering(&server);
    /* Nobody is there to connect to; who was connected stays. */
    CHECK(shutdown(server.listener, SHUT_RDWR) == 0);
    chatnio_event event = new_event();
    IS(CHATNIO_CONNECT, chatnio_client_reconnect(client, &event));
    turn_has_ended(client);
    is_gone(client, CHATNIO_CONNECT);
    int32_t code = -1;
    OK(chatnio_client_end_code(client, &code));
    EQUAL(0, code);
    chatnio_text body;
    IS(CHATNIO_ABSENT, chatnio_client_refusal_body(client, &body));
    chatnio_client_free(client);
    server_join(&server);
}

/* A server that refuses, and at last one that does not. */
static void anew(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 2);
    struct refuser refuser;
    refuser_start(&refuser);
    chatnio_client *client = answering(&server);
    chatnio_event event = new_event();
    /* What is no socket, not open, or no stream, changes nothing. */
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(datagrams >= 0);
    const int64_t others[] = {-1, 1000, datagrams};
    for (size_t at = 0; at < sizeof others / sizeof others[0]; at++) {
        IS(CHATNIO_INVALID, chatnio_client_reconnect_socket(client, others[at], &event));
        int32_t state = 0;
        OK(chatnio_client_state(client, &state));
        EQUAL(CHATNIO_STATE_ANSWERING, state);
    }
    close(datagrams);
    for (size_t at = 0; at < CASE_COUNT; at++) {
        int refused = connect_to(refuser.port);
        IS(CASES[at].status, chatnio_client_reconnect_socket(client, refused, &event));
        close(refused);
        if (at == 0) {
            turn_has_ended(client);
        }
        is_gone(client, CASES[at].status);
        int32_t code = -1;
        OK(chatnio_client_end_code(client, &code));
        EQUAL(CASES[at].code, code);
        chatnio_text body;
        IS(CASES[at].body != NULL ? CHATNIO_OK : CHATNIO_ABSENT, chatnio_client_refusal_body(client, &body));
        if (CASES[at].body != NULL) {
            TEXT_IS(CASES[at].body, body);
        }
        /* What is absent is no failure: it leaves the last one's text. */
        char before[500], after[500];
        uint64_t ms;
        OK(chatnio_client_error(client, before, sizeof before, NULL));
        IS(CHATNIO_ABSENT, chatnio_client_retry_after(client, &ms));
        IS(CHATNIO_ABSENT, chatnio_client_tls(client, &body, &body));
        OK(chatnio_client_error(client, after, sizeof after, NULL));
        CHECK(before[0] != '\0' && strcmp(before, after) == 0);
    }
    refuser_join(&refuser);
    OK(chatnio_client_reconnect(client, &event));
    EQUAL(CHATNIO_EVENT_NONE, event.kind);
    int32_t code = -1;
    OK(chatnio_client_end_code(client, &code));
    EQUAL(0, code);
    chatnio_request *chat = new_chat("hi", "hello");
    OK(chatnio_client_ask(client, chat, &event));
    EQUAL(CHATNIO_OUTCOME_COMPLETE, event.outcome);
    EQUAL(2, event.turn);
    chatnio_request_free(chat);
    chatnio_client_free(client);
    server_join(&server);
}

/* A constructor that has made nothing has not used its configuration. */
static void nothing_was_made(void) {
    chatnio_config *config = new_config();
    chatnio_auth *auth = new_auth("sk-x"), *none = new_auth("");
    chatnio_connection *connection = NULL;
    chatnio_client *client = NULL;
    chatnio_session *session = NULL;
    IS(CHATNIO_EMPTY_TOKEN, chatnio_session_new(config, none, START, &session, NULL));
    IS(CHATNIO_EMPTY_TOKEN, chatnio_client_new(config, none, TEXT("ws://127.0.0.1"), &client, NULL));
    IS(CHATNIO_BAD_URL, chatnio_connection_new(config, auth, TEXT("ftp://x"), START, &connection, NULL));
    IS(CHATNIO_BAD_URL, chatnio_client_new(config, auth, TEXT("ftp://x"), &client, NULL));
    IS(CHATNIO_BAD_URL, chatnio_client_new_socket(config, auth, TEXT("ftp://x"), 0, &client, NULL));
    IS(CHATNIO_PLAIN_TOKEN, chatnio_client_new(config, auth, TEXT("ws://chat.example"), &client, NULL));
    IS(CHATNIO_PLAIN_TOKEN, chatnio_connection_new(config, auth, TEXT("ws://chat.example"), START, &connection, NULL));
    /* For a proxy elsewhere this machine is another one. */
    chatnio_config *proxied = new_config();
    OK(chatnio_config_set_proxy(proxied, TEXT("http://proxy.example:3128")));
    IS(CHATNIO_PLAIN_TOKEN, chatnio_client_new(proxied, auth, TEXT("ws://localhost"), &client, NULL));
    IS(CHATNIO_PLAIN_TOKEN, chatnio_connection_new(proxied, auth, TEXT("ws://127.0.0.1"), START, &connection, NULL));
    chatnio_config_free(proxied);
    OK(chatnio_config_set_allow_token_over_plain_ws(config, true));
    /* Also the roots, which were made ready for it. */
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY));
    IS(CHATNIO_BAD_ROOTS, chatnio_connection_new(config, auth, TEXT("ws://chat.example"), START, &connection, NULL));
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_PLATFORM));
    OK(chatnio_connection_new(config, auth, TEXT("ws://chat.example"), START, &connection, NULL));
    IS(CHATNIO_FROZEN, chatnio_config_set_allow_token_over_plain_ws(config, false));
    chatnio_connection_free(connection);
    chatnio_auth_free(none);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
}

int main(void) {
    at_first();
    down();
    anew();
    nothing_was_made();
    return done();
}
